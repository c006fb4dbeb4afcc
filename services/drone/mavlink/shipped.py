"""What comes from files: the profiles that are shipped, and the key of a signed link."""

import stat
from importlib import resources
from pathlib import Path

from internetcar.contract.message import InputError
from services.drone.mavlink.profile import Profile, parse_profile
from services.drone.mavlink.signing import KEY_BYTES


class KeyFileError(InputError):
    """A key file that is not one, or that others can read."""


def load_profile() -> Profile:
    """The profile that is shipped."""
    room = resources.files("services.drone.mavlink.profiles")
    return parse_profile((room / "arducopter.toml").read_text(encoding="utf-8"))


def read_key(path: Path) -> bytes:
    """The key of a signed link: 32 bytes as 64 hexadecimal digits, in a file of its owner only.

    Raises:
        KeyFileError: The file is missing, others may read it, or there is no key in it.
    """
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise KeyFileError(f"{path}: others can read the key; chmod 600 {path}")
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except OSError as error:
        raise KeyFileError(f"{path}: cannot read the MAVLink key ({error.strerror})") from error
    except UnicodeError as error:
        raise KeyFileError(f"{path}: no MAVLink key; write 64 hexadecimal digits") from error
    except ValueError as error:
        if isinstance(error, KeyFileError):
            raise
        raise KeyFileError(f"{path}: no MAVLink key; write 64 hexadecimal digits") from error
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"{path}: {len(key)} bytes are no MAVLink key; it has {KEY_BYTES}")
    return key
