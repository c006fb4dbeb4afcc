"""Deflates batches small: each against the snapshot before it, which has the same paths and names.

A batch a second is small, and what SQLite writes for it are whole pages, so less than half the
bytes is less than half the wear. Snapshots used so are kept beside the batches, for as long as
there are batches that need them.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.outbox import DamagedError, OutboxFile

_LEVEL = 6


class Dictionaries:
    """The snapshots that batches are deflated against; a batch uses the newest before its number.

    Not thread-safe; all that writes belongs inside a transaction.
    """

    def __init__(self, file: OutboxFile) -> None:
        self._file = file
        self._read: tuple[int, bytes] | None = None

    def add(self, number: int, snapshot: bytes) -> None:
        """Use this snapshot, the batch of that number, for those after it."""
        self._file.rows(
            "INSERT OR REPLACE INTO dictionaries VALUES (?, ?)",
            number,
            zlib.compress(snapshot, _LEVEL),
        )

    def deflate(self, number: int, payload: bytes) -> bytes:
        """A batch's payload as it is stored."""
        deflater = zlib.compressobj(_LEVEL, zdict=self._before(number))
        return deflater.compress(payload) + deflater.flush()

    def inflate(self, number: int, stored: bytes) -> bytes:
        """A batch's payload as it was.

        Raises:
            DamagedError: It is not what was stored.
        """
        inflater = zlib.decompressobj(zdict=self._before(number))
        try:
            payload = inflater.decompress(stored)
        except zlib.error as error:
            raise DamagedError(f"{self._file.path}: batch {number} is damaged: {error}") from error
        if not inflater.eof:
            raise DamagedError(f"{self._file.path}: batch {number} is cut short")
        return payload

    def forget(self, through: int, beyond: int = 0) -> None:
        """Remove what only batches beyond the one and up to the other number needed."""
        self._file.rows(
            "DELETE FROM dictionaries WHERE number > ? AND number <"
            " (SELECT max(number) FROM dictionaries WHERE number <= ?)",
            beyond,
            through,
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction in which `add` may be called."""
        try:
            with self._file.transaction():
                yield
        except BaseException:
            self._read = None  # it may have been of this transaction
            raise

    def _before(self, number: int) -> bytes:
        [(found,)] = self._file.rows(
            "SELECT max(number) FROM dictionaries WHERE number < ?", number
        )
        if found is None:
            return b""
        if self._read is None or self._read[0] != found:
            [(stored,)] = self._file.rows(
                "SELECT payload FROM dictionaries WHERE number = ?", found
            )
            self._read = (found, zlib.decompress(stored))
        return self._read[1]
