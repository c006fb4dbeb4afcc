"""The key that signs charges: made at the first start, for this user's eyes only."""

import contextlib
import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from internetcar.contract.message import InputError
from internetcar.contract.signature import SignatureKeyError, private_key_text, read_private_key
from services.points import AFTER_KEY, BEFORE_KEY, reach

FILE_NAME = "tolls.key"


def load_or_make_key(folder: Path) -> Ed25519PrivateKey:
    """The key of this installation; made where there is none yet.

    Raises:
        InputError: The file cannot be used, or others could have read it.
    """
    path = folder / FILE_NAME
    if not path.exists():
        _make(path)
    return load_key(folder)


def load_key(folder: Path) -> Ed25519PrivateKey:
    """The key of this installation.

    Raises:
        InputError: There is none, it cannot be used, or others could have read it.
    """
    path = folder / FILE_NAME
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(1000)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no key yet; the toll service makes it at its start") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    if mode & 0o077:
        raise InputError(f"{path}: others can read it; remove it, so that a new one is made")
    try:
        return read_private_key(text)
    except SignatureKeyError as error:
        raise InputError(f"{path}: {error}") from error


def _make(path: Path) -> None:
    """Write a new key whole or not at all; where two begin at once, the first stays."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(private_key_text(Ed25519PrivateKey.generate()) + "\n")
            file.flush()
            os.fsync(file.fileno())
        reach(BEFORE_KEY)
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
        reach(AFTER_KEY)
        fresh.unlink()
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
