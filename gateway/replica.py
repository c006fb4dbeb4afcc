"""The name under which a gateway connects: always the same, and nobody else's."""

import hashlib
import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path

from gateway.outbox import StorageError

_FILE = "client-id"
_LENGTH = 32


def client_id(vehicle_id: str, state: Path) -> str:
    """The MQTT client id of a gateway.

    It tells two gateways apart, and one from itself never: with one id for both they would throw
    each other off the broker for ever, and none would hear that another speaks for its vehicle.
    Whoever knows it can do that, too (mosquitto 2.0), so part of it is a secret on our disk.

    Args:
        vehicle_id: Whose gateway.
        state: Where it keeps what must last.

    Raises:
        StorageError: It cannot be kept there.
    """
    path = state / vehicle_id / _FILE
    try:
        secret = _kept(path) or _fresh(path)
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{path} cannot be read or written ({error})") from error
    place = f"{socket.gethostname()}:{state.absolute()}:{secret}"
    return f"gateway-{vehicle_id}-{hashlib.sha256(place.encode()).hexdigest()[:16]}"


def _kept(path: Path) -> str | None:
    with suppress(FileNotFoundError):
        text = path.read_text(encoding="ascii")
        return text if len(text) == _LENGTH else None  # else a power cut came between
    return None


def _fresh(path: Path) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = secrets.token_hex(_LENGTH // 2)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    return secret
