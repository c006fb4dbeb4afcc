"""What can be wrong with a service's database, told from what the drivers raise."""

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from internetcar.contract.message import ContractError, InputError

_DAMAGED = {"SQLITE_CORRUPT", "SQLITE_NOTADB"}
_NO_STORAGE = {"SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM"}
_TRY_AGAIN = {"SQLITE_BUSY", "SQLITE_LOCKED"}


class StoreError(InputError):
    """The database cannot be used; the text says which, why, and what to do."""


class DamagedError(StoreError):
    """The file is no database of ours any more, or never was."""


class StorageError(StoreError):
    """The database is whole, but its place does not let us write: full, read-only, not ours."""


class UnavailableError(StoreError):
    """Locked, a deadlock, or the server is gone: the same transaction may succeed later."""


def store_error(name: str, error: DBAPIError) -> StoreError | None:
    """What a driver's error means for us; `None`: it is about a statement, not the database."""
    line = first_line(error)
    kind = str(getattr(error.orig, "sqlite_errorname", ""))
    for names, cls, advice in (
        (_DAMAGED, DamagedError, "restore it from a copy, or move it away to begin anew"),
        (_NO_STORAGE, StorageError, "make room, or see that we may write there"),
        (_TRY_AGAIN, UnavailableError, "another process holds it"),
    ):
        if any(kind == each or kind.startswith(each + "_") for each in names):
            return cls(f"{name}: {line}: {advice}")
    if kind:
        return None
    state = getattr(error.orig, "sqlstate", None) or ""
    if state.startswith("53"):  # insufficient resources: the disk, or too many connections
        return UnavailableError(f"{name}: {line}")
    is_lost = error.connection_invalidated or state.startswith(("08", "57P"))
    if is_lost or state in ("40001", "40P01", "55P03"):
        return UnavailableError(f"{name}: {line}")
    if not state and type(error.orig).__name__ == "OperationalError":  # no connection at all
        return UnavailableError(f"{name}: {line}: is the server there, and the URL right?")
    return None


def value_error(name: str, error: DBAPIError) -> ContractError | None:
    """A text that the driver cannot even send (a NUL in it): whoever sent it, it is dropped."""
    is_unsent = type(error.orig).__name__ == "DataError" and not getattr(
        error.orig, "sqlstate", None
    )
    return ContractError(f"{name}: {first_line(error)}") if is_unsent else None


def first_line(error: SQLAlchemyError) -> str:
    """What a driver says, as one line that is not long."""
    cause = getattr(error, "orig", None) or error
    return " ".join(str(cause).split())[:300]
