"""What every service's settings have: where its broker, store and state are."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from internetcar.contract.broker_url import BrokerUrl, parse_broker_url
from internetcar.contract.message import Name
from internetcar.contract.settings import (
    SettingsError,
    default_state_folder,
    layered,
    read_toml,
)

BROKER_ENVIRONMENT = "INTERNETCAR_BROKER"

S = TypeVar("S", bound="ServiceSettings")


class ServiceSettings(BaseSettings):
    """The settings all services share; a service adds its own in a class below this one.

    That class sets `env_prefix` with `service_config`, so that `INTERNETCAR_TOLLS_STORE=…` and so
    on stand above the file.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    broker: str = Field(
        default="",
        description="mqtt://user:password@host:port or mqtts://…; empty: INTERNETCAR_BROKER",
    )
    store: str = Field(
        default="",
        description="a file, sqlite:///… or postgresql://user:password@host/database; empty: a"
        " SQLite file in the state folder",
    )
    state: str = Field(
        default="", description="folder for what must last; empty: $XDG_STATE_HOME/internetcar"
    )
    replica: Name = Field(
        default="1", description="a name of its own for each process of this service"
    )
    share: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9_-]{0,36}$",
        description="the group of replicas among which the broker deals messages; empty: there is"
        " one process",
    )


def service_config(service: str) -> SettingsConfigDict:
    """The `model_config` of a service's settings."""
    return SettingsConfigDict(
        env_prefix=f"INTERNETCAR_{service.upper()}_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
    )


def load_settings(cls: type[S], path: Path | None, /, **named: Any) -> S:
    """Read a settings file; above it stands the environment, and above that what is `named`.

    Args:
        cls: The service's settings.
        path: A TOML file; `None`: nothing stands below the environment.
        named: What holds whatever the file and the environment say.

    Raises:
        SettingsError: No such file, not TOML, an unknown key or an impossible value; one line.
    """
    if path is None:
        return layered(cls, {}, named)
    below = read_toml(path)
    try:
        return layered(cls, below, named)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def broker_of(settings: ServiceSettings, environ: Mapping[str, str] = os.environ) -> BrokerUrl:
    """The broker that the settings or else the environment name.

    Raises:
        InputError: Neither does, or it is no such URL.
    """
    named = settings.broker or environ.get(BROKER_ENVIRONMENT, "")
    if not named:
        raise SettingsError(f"no broker: give `broker` in the settings or {BROKER_ENVIRONMENT}")
    return parse_broker_url(named)


def state_folder(
    settings: ServiceSettings, service: str, environ: Mapping[str, str] = os.environ
) -> Path:
    """Where a service keeps what must last."""
    named = Path(settings.state).expanduser() if settings.state else None
    return (named or default_state_folder(environ)) / service


def replica_folder(settings: ServiceSettings, service: str) -> Path:
    """Where one process of a service keeps what is its own."""
    return state_folder(settings, service) / f"replica-{settings.replica}"


def store_url(settings: ServiceSettings, service: str) -> str:
    """Where a service's database is; by default a file in its state folder."""
    return settings.store or str(state_folder(settings, service) / f"{service}.sqlite")
