"""What the settings of every process have in common: where they come from, and what is wrong."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource
from pydantic_settings import SettingsError as EnvironmentSettingsError

from internetcar.contract.message import InputError

S = TypeVar("S", bound=BaseSettings)


class SettingsError(InputError):
    """The settings name something that cannot be; the text says which key and what to write."""


def default_state_folder(environ: Mapping[str, str]) -> Path:
    """Where lasting things lie unless settings say otherwise: `$XDG_STATE_HOME/internetcar`."""
    home = Path(environ.get("HOME") or Path.home())
    return Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state") / "internetcar"


def read_toml(path: Path, hint: str = "") -> dict[str, Any]:
    """The keys of a settings file.

    Args:
        path: A TOML file.
        hint: What may be done where it cannot be read.

    Raises:
        SettingsError: No such file, or not TOML; one line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read ({error}){hint}") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from error


def layered(cls: type[S], below: Mapping[str, Any], named: Mapping[str, Any]) -> S:
    """Settings of which the environment stands above `below`, and `named` above both.

    Raises:
        SettingsError: An unknown key or an impossible value; one line.
    """
    try:
        environment = EnvSettingsSource(cls)()
        return cls(**_merged(_merged(below, environment), named))
    except ValidationError as error:
        raise SettingsError(_described(error)) from error
    except EnvironmentSettingsError as error:
        raise SettingsError(f"environment: {error}") from error


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both, key by key and section by section; `above` wins."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(value, Mapping) and isinstance(under, Mapping):
            merged[key] = _merged(under, value)
        else:
            merged[key] = value
    return merged


def _described(error: ValidationError) -> str:
    """The first thing wrong with settings, as one line: the key, and what it should be."""
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{key}: no such setting"
    if first["type"] == "value_error":  # of our own validators
        return f"{key}: {first['ctx']['error']}"
    return f"{key}: {first['msg']} (it is {first['input']!r})"
