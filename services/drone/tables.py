"""The tables of the drone service: what the pilot remembers, and what was answered."""

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, String, Table, Text

VERSION = 1
DRONE = MetaData()

drone_memory = Table(
    "drone_memory",
    DRONE,
    Column("vehicle_id", String(36), primary_key=True),
    Column("drone_id", String(36), primary_key=True),
    Column("memory", Text, nullable=False),
    Column("saved_at_ms", BigInteger, nullable=False),
)
"""What the pilot wants to have again after a restart; one row a drone."""

drone_request = Table(
    "drone_request",
    DRONE,
    Column("vehicle_id", String(36), primary_key=True),
    Column("drone_id", String(36), primary_key=True),
    Column("requester", String(36), primary_key=True),
    Column("tid", String(64), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("reply", LargeBinary),
    Column("at_ms", BigInteger, nullable=False),
)
"""What was asked and what was answered, for ever. `reply` is `NULL` where the process ended
between the two; then it is answered that it was."""
