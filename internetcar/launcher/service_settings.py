"""The settings of a service as a command on the same machine needs them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from internetcar.contract.settings import default_state_folder
from internetcar.launcher.run_file import read_run_file
from services.database import Database, open_existing
from services.settings import ServiceSettings, load_settings, store_url

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


@contextmanager
def opened_store(
    cls: type[S], service: str, settings: str, store: str, *, version: int
) -> Iterator[Database]:
    """A service's store, which must be there; see `settings_for`.

    Args:
        cls: The service's settings.
        service: Its name.
        settings: Its settings file, or empty.
        store: The URL of its store, or empty.
        version: Of its tables.

    Raises:
        InputError: There is none, or it cannot be used.
    """
    read = settings_for(cls, service, settings, store)
    database = open_existing(store_url(read, service), service, version=version)
    try:
        yield database
    finally:
        database.close()
