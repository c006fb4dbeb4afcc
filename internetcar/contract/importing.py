"""Imports for entry points: a process that only begins makes no garbage, so none is looked for."""

import gc
import sys
from importlib import import_module
from types import ModuleType


def import_quickly(name: str) -> ModuleType:
    """Import a module and all that it needs, without the garbage collector, as it is after that.

    What is imported stays as long as the process: the collector never looks at it again.
    """
    if name in sys.modules:
        return sys.modules[name]
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        if is_collecting:
            gc.enable()
