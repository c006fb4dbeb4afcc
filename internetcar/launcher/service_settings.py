"""The settings of a service as a command on the same machine needs them."""

import os
from pathlib import Path
from typing import TypeVar

from internetcar.contract.settings import default_state_folder
from internetcar.launcher.run_file import read_run_file
from services.settings import ServiceSettings, load_settings

S = TypeVar("S", bound=ServiceSettings)


def settings_for(cls: type[S], service: str, settings: str, store: str = "") -> S:
    """What the options say, else the environment, else the `car up` that runs here.

    Args:
        cls: The service's settings.
        service: Its name.
        settings: Its settings file, or empty.
        store: The URL of its store, or empty.

    Raises:
        SettingsError: The file or the environment is not as it should be; one line.
    """
    path = Path(settings) if settings else None
    running = read_run_file(os.environ)
    is_named = bool(settings or store)
    if running and not is_named and (written := running.state / f"{service}.toml").is_file():
        path = written
    read = load_settings(cls, path, **({"store": store} if store else {}))
    if read.state:
        return read
    folder = running.state if running else default_state_folder(os.environ)
    return read.model_copy(update={"state": str(folder)})
