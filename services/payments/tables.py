"""The tables of the wallet. Entries, postings and answers are for ever; the rest can be rebuilt."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

TABLES = MetaData()
VERSION = 1

_Number = BigInteger().with_variant(Integer, "sqlite")
_Owner = String(48)

entries = Table(
    "entries",
    TABLES,
    Column("number", _Number, primary_key=True),
    Column("entry_id", String(64), nullable=False, unique=True),
    Column("kind", String(12), nullable=False),
    Column("owner", _Owner, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("available_change", BigInteger, nullable=False),
    Column("booked_change", BigInteger, nullable=False),
    Column("available_after", BigInteger, nullable=False),
    Column("held_after", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("vehicle_id", String(36)),
    Column("requester", String(36), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("payee", String(36), nullable=False),
    Column("purpose", String(16)),
    Column("day", String(10), nullable=False),
    Column("about", String(160), nullable=False),
    Column("ends", String(64), unique=True),
    Column("reverses", String(64), unique=True),
    Column("expires_at_ms", BigInteger),
    Column("words", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Index("entries_of_owner", "owner", "currency", "at_ms", "number"),
    Index("entries_of_day", "owner", "purpose", "day", "currency", "available_change"),
    Index("entries_about", "about", "currency", "booked_change"),
)
"""The journal. An entry is inserted after its postings and seals them."""

postings = Table(
    "postings",
    TABLES,
    Column("number", _Number, primary_key=True),
    Column(
        "entry_id",
        String(64),
        ForeignKey("entries.entry_id", deferrable=True, initially="DEFERRED"),
        nullable=False,
    ),
    Column("name", String(48), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    UniqueConstraint("entry_id", "name", "currency"),
    CheckConstraint("amount_minor <> 0", name="posting_moves_something"),
)
"""What each entry changes on each ledger account."""

answers = Table(
    "answers",
    TABLES,
    Column("scope", String(48), primary_key=True),
    Column("requester", String(36), primary_key=True),
    Column("request_id", String(200), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("is_binding", Boolean, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("about", String(160)),
    Column("currency", String(3), nullable=False),
    Column("claimed_minor", BigInteger, nullable=False),
    Index("answers_about", "about", "currency", "claimed_minor"),
)
"""Every answer, byte for byte. A binding one takes its id: another body is a conflict."""
Index(
    "answers_binding",
    answers.c.scope,
    answers.c.requester,
    answers.c.request_id,
    unique=True,
    sqlite_where=answers.c.is_binding,
    postgresql_where=answers.c.is_binding,
)

balances = Table(
    "balances",
    TABLES,
    Column("name", String(48), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("balance_minor", BigInteger, nullable=False),
)
"""The sums of the postings of sealed entries, kept so that nobody has to add them up."""

owners = Table(
    "owners",
    TABLES,
    Column("owner", _Owner, primary_key=True),
    Column("entries", BigInteger, nullable=False),
    Column("last_at_ms", BigInteger, nullable=False),
)
"""One row for each owner; whoever changes its money locks it first."""

vehicles = Table("vehicles", TABLES, Column("vehicle_id", String(48), primary_key=True))
"""One row for each vehicle that ever asked: the lock under which its request ids are looked up."""

open_holds = Table(
    "open_holds",
    TABLES,
    Column("entry_id", String(64), primary_key=True),
    Column("owner", _Owner, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False, index=True),
)
"""The holds that have no end yet."""

early = Table(
    "early",
    TABLES,
    Column("vehicle_id", String(36), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("since_ms", BigInteger, nullable=False),
)
"""Toll refunds that came before their charge, and since when; they are repeated until answered."""
