"""What every service's settings have: where its broker, store and state are."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as EnvironmentSettingsError

from internetcar.contract.broker_url import BrokerUrl, parse_broker_url
from internetcar.contract.message import InputError, Name

BROKER_ENVIRONMENT = "INTERNETCAR_BROKER"

S = TypeVar("S", bound="ServiceSettings")


class SettingsError(InputError):
    """The settings name something that cannot be; the text says which key and what to write."""


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
    below = {} if path is None else _read(path)
    try:
        environment = EnvSettingsSource(cls)()
        return cls(**_merged(_merged(below, environment), named))
    except ValidationError as error:
        text = _describe(error)
        raise SettingsError(f"{path}: {text}" if path else text) from error
    except EnvironmentSettingsError as error:
        raise SettingsError(f"environment: {error}") from error


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
    home = Path(environ.get("HOME") or Path.home())
    lasting = Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state") / "internetcar"
    return (Path(settings.state).expanduser() if settings.state else lasting) / service


def store_url(settings: ServiceSettings, service: str) -> str:
    """Where a service's database is; by default a file in its state folder."""
    return settings.store or str(state_folder(settings, service) / f"{service}.sqlite")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read ({error})") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from error


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both, key by key and section by section; `above` wins."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        is_section = isinstance(value, Mapping) and isinstance(under, Mapping)
        merged[key] = _merged(under, value) if is_section else value  # type: ignore[arg-type]  # both are
    return merged


def _describe(error: ValidationError) -> str:
    """The first thing wrong with settings, as one line: the key, and what it should be."""
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{key}: no such setting"
    if first["type"] == "value_error":  # of our own validators
        return f"{key}: {first['ctx']['error']}"
    return f"{key}: {first['msg']} (it is {first['input']!r})"
