"""The wallet's process, for tests that kill it at the point that `DIE_AT` names."""

import os
import signal
import sys
from pathlib import Path

from internetcar.contract.importing import import_quickly
from services import points

if __name__ == "__main__":
    fatal = os.environ.get("DIE_AT")
    points.install(lambda point: os.kill(os.getpid(), signal.SIGKILL) if point == fatal else None)
    import_quickly("services.payments.service").main(Path(sys.argv[1]))
