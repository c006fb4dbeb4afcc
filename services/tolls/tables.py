"""The tables of the toll service, beside those of the floor."""

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
)

TOLLS = MetaData()
VERSION = 1

toll_vehicle = Table(
    "toll_vehicle",
    TOLLS,
    Column("vehicle_id", String(36), primary_key=True),
    Column("state", Text, nullable=False),
    Column("must_reckon", Boolean, nullable=False, index=True),
    Column("places_read_ms", BigInteger, index=True),
)
"""Where the detection of each vehicle stands; `must_reckon`: an exception list changed;
`places_read_ms`: when its log was read last, where `state` holds places of a drive."""

toll_passage = Table(
    "toll_passage",
    TOLLS,
    Column("passage_id", String(64), primary_key=True),
    Column("vehicle_id", String(36), nullable=False),
    Column("context", String(36), nullable=False),
    Column("gate", String(64), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("crossed_at_ms", BigInteger, nullable=False),
    Column("shift_ms", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("fee_minor", BigInteger, nullable=False),
    Column("retry_at_ms", BigInteger, index=True),
    Column("has_fixes", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Index("toll_passage_time", "vehicle_id", "context", "crossed_at_ms"),
    Index("toll_passage_gate", "vehicle_id", "context", "gate", "ordinal", unique=True),
    Index("toll_passage_fixes", "has_fixes", "crossed_at_ms"),
)
"""What was passed, as it stands: `body` has the evidence and the words, as JSON."""

toll_movement = Table(
    "toll_movement",
    TOLLS,
    Column("charge_id", String(64), primary_key=True),
    Column("passage_id", String(64), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("state", String(8), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("reason", String(40)),
    Column("record", LargeBinary, nullable=False),
)
"""Money that was asked for; `record` is the signed charge."""

toll_declaration = Table(
    "toll_declaration",
    TOLLS,
    Column("declaration_id", String(64), primary_key=True),
    Column("passage_id", String(64), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("operator", String(36), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("declared_minor", BigInteger, nullable=False),
    Column("verdict", String(12)),
    Column("amount_minor", BigInteger),
    Column("reason", Text),
)
"""What was declared to toll chargers, and what they said; no verdict: not yet."""

toll_exceptions = Table(
    "toll_exceptions",
    TOLLS,
    Column("operator", String(36), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)
"""The newest exception list of each operator."""

toll_stretch = Table(
    "toll_stretch",
    TOLLS,
    Column("vehicle_id", String(36), primary_key=True),
    Column("from_ms", BigInteger, primary_key=True),
    Column("until_ms", BigInteger, nullable=False),
)
"""Where the log of a vehicle was read without a gap: what is not in it was not passed."""
