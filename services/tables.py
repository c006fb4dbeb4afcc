"""The tables that every service has beside its own: what it says, hears, and could not take."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

FLOOR = MetaData()

schema_version = Table(
    "schema_version",
    FLOOR,
    Column("service", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
)
"""One row: whose store this is, and which version of its tables it has."""

outgoing = Table(
    "outgoing",
    FLOOR,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", String(128), nullable=False, unique=True),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("retain", Boolean, nullable=False),
    Column("awaits", String(128), index=True),
    Column("next_at_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Index("outgoing_due", "next_at_ms", "number"),
    sqlite_autoincrement=True,
)
"""Messages to say. `awaits`: the answer that ends one, `NULL`: the broker's PUBACK does.

A number is never used again: what the broker answers late must not end a younger message.
"""

Index(
    "outgoing_retained",
    outgoing.c.topic,
    sqlite_where=text("retain = 1"),  # as statements say it, else it is not used
    postgresql_where=outgoing.c.retain,
)

log_position = Table(
    "log_position",
    FLOOR,
    Column("vehicle_id", String(36), primary_key=True),
    Column("position", Text),
)
"""Up to where each vehicle's log is applied, as JSON. Its row is the vehicle's lock."""

quarantine = Table(
    "quarantine",
    FLOOR,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("subject", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("state", String(12), nullable=False, index=True),
    Column("deaths", Integer, nullable=False),
    Column("kept_at_ms", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
"""Messages on which the process died, and those that wait behind them; `subject`: whose they are.

`state`: `died` once or twice, `quarantined`, `waiting` behind that, or `dropped`, by a person or
with age. `kept_at_ms`: since when, UTC milliseconds since 1970.
"""
