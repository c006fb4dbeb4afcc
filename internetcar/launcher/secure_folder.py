"""The folder of an authority: its key, its register, and what it writes for the others.

authority.pem .key   the authority; the key leaves this folder never
register.json        who has which certificate
clients/NAME/        ca.pem cert.pem key.pem: to be brought to whoever is called so
broker/              (or elsewhere) all that mosquitto reads, and store/, where it keeps things
"""

import fcntl
import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from internetcar.contract.asyncapi import message_classes
from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.message import InputError
from internetcar.launcher.access import access_text
from internetcar.launcher.authority import Authority, Issued
from internetcar.launcher.register import Certificate, Register
from internetcar.launcher.secure_broker import CONFIGURATION, configuration

_REGISTER = "register.json"


class SecureFolderError(InputError):
    """The folder is not there, not private, or not whole."""


class SecureFolder:
    """An authority's folder, held for one command: nobody else changes it meanwhile."""

    def __init__(self, path: Path, authority: Authority, register: Register) -> None:
        self.path = path
        self.authority = authority
        self.register = register

    @property
    def broker_folder(self) -> Path:
        """Where mosquitto finds its files."""
        return Path(self.register.broker_folder)

    def issue(self, register: Register, name: str, now: datetime, days: int) -> datetime:
        """Give somebody in a register a new key and certificate; until when it holds."""
        issued = self.authority.issue_client(name, now, days)
        entry = Certificate(serial=f"{issued.serial:x}", ends_at=issued.ends_at)
        self.take_up(register.with_certificate(name, entry), now)
        folder = self._client(name)
        make_private_folder(folder)
        write_private(folder / "ca.pem", self.authority.cert)
        write_private(folder / "key.pem", issued.key)
        write_private(folder / "cert.pem", issued.cert)
        return issued.ends_at

    def issue_broker(self, now: datetime, days: int) -> datetime:
        """Give the broker a new key and certificate; until when it holds."""
        issued: Issued = self.authority.issue_broker(self.register.hosts, now, days)
        make_private_folder(self.broker_folder)
        write_private(self.broker_folder / "broker.key", issued.key)
        write_private(self.broker_folder / "broker.pem", issued.cert)
        return issued.ends_at

    def take_up(self, register: Register, now: datetime) -> None:
        """Keep a changed register, and write what the broker reads from it."""
        self._save(register.model_copy(update={"revision": register.revision + 1}))
        self.write_rules(now)

    def write_rules(self, now: datetime, more: str = "") -> None:
        """Write anew what the broker reads: rules (and some more), revocations, configuration."""
        register, folder = self.register, self.broker_folder
        make_private_folder(folder)
        make_private_folder(folder / "store")
        text = configuration(register.port, register.bind, folder, _owner(folder))
        revoked = self.authority.revocations(register.revoked(now), register.revision, now)
        write_private(folder / "ca.pem", self.authority.cert)
        write_private(folder / "crl.pem", revoked)
        rules = access_text(register.rights(now), message_classes())
        write_private(folder / "access", f"{rules}{more}".encode())
        write_private(folder / CONFIGURATION, text.encode())

    def forget_key(self, name: str) -> None:
        """Remove the files of somebody whose certificate is worth nothing any more."""
        shutil.rmtree(self._client(name), ignore_errors=True)

    def url(self, name: str) -> BrokerUrl:
        """The broker as somebody finds it, with their name and files."""
        folder = self._client(name)
        return BrokerUrl(
            host=self.register.hosts[0],
            port=self.register.port,
            username=name,
            tls=True,
            ca=folder / "ca.pem",
            cert=folder / "cert.pem",
            key=folder / "key.pem",
        )

    def _client(self, name: str) -> Path:
        return self.path / "clients" / name

    def _save(self, register: Register) -> None:
        write_private(self.path / _REGISTER, register.model_dump_json(indent=1).encode())
        self.register = register


def create(path: Path, register: Register, now: datetime) -> SecureFolder:
    """Make a new authority in a folder.

    Raises:
        SecureFolderError: There is one already, or the folder cannot be written.
    """
    if (path / _REGISTER).exists() or (path / "authority.key").exists():
        raise SecureFolderError(
            f"{path} has an authority already; a new one would make every certificate worthless."
            " Use another --folder, or `car secure renew broker --host …` for other hosts"
        )
    make_private_folder(path)
    _check(path)
    authority = Authority.create(now)
    write_private(path / "authority.key", authority.key)
    write_private(path / "authority.pem", authority.cert)
    return SecureFolder(path, authority, register)


def discard(path: Path) -> None:
    """Undo `create`: half an authority could neither be used nor made anew."""
    for name in (_REGISTER, "authority.key", "authority.pem"):
        (path / name).unlink(missing_ok=True)


@contextmanager
def opened(path: Path) -> Iterator[SecureFolder]:
    """The authority in a folder, held for this process alone.

    Raises:
        SecureFolderError: There is none, others can read it, or a file of it is damaged.
        AuthorityError: Its certificate or key is damaged.
    """
    if not (path / _REGISTER).is_file():
        raise SecureFolderError(f"{path} has no authority: `car secure init` makes one")
    _check(path)
    held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield _read(path)
    except BlockingIOError as error:
        raise SecureFolderError(f"{path}: another `car secure` is at work; try again") from error
    finally:
        os.close(held)


def _read(path: Path) -> SecureFolder:
    try:
        register = Register.model_validate_json((path / _REGISTER).read_bytes())
        cert, key = ((path / f"authority.{end}").read_bytes() for end in ("pem", "key"))
    except OSError as error:
        raise SecureFolderError(f"{error.filename}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:80]
        raise SecureFolderError(
            f"{path / _REGISTER} is damaged ({place}: {first['msg']}); restore it from a copy"
        ) from error
    return SecureFolder(path, Authority(cert, key), register)


def _check(path: Path) -> None:
    """Refuse a folder or key others could have read or changed."""
    for place in (path, path / "authority.key", path / _REGISTER):
        try:
            status = place.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISLNK(status.st_mode) or stat.S_IMODE(status.st_mode) & 0o077:
            raise SecureFolderError(f"{place} is open to others: chmod go= {place}")
        if status.st_uid != os.geteuid() and os.geteuid() != 0:
            raise SecureFolderError(f"{place} belongs to another user")


def make_private_folder(path: Path) -> None:
    """Make a folder for its owner alone; one that is there is left as it is.

    Raises:
        SecureFolderError: It cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.is_dir():
            path.mkdir(mode=0o700)
            _give_to_owner_of(path.parent, path)
    except OSError as error:
        raise SecureFolderError(f"{path}: cannot be made ({error.strerror})") from error


def write_private(path: Path, content: bytes) -> None:
    """Write a file for its owner alone, whole or not at all.

    Raises:
        SecureFolderError: It cannot be written; what was there before is there still.
    """
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _give_to_owner_of(path.parent, fresh)
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise SecureFolderError(f"{path}: cannot be written ({error.strerror})") from error


def _give_to_owner_of(folder: Path, path: Path) -> None:
    """What root writes into somebody's folder is theirs: mosquitto is not root."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _owner(folder: Path) -> str | None:
    """As whom a mosquitto that is started as root must run to read a folder."""
    return pwd.getpwuid(folder.stat().st_uid).pw_name if os.geteuid() == 0 else None
