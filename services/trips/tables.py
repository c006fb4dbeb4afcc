"""The tables of the trip service, beside those of the floor."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

TRIPS = MetaData()
VERSION = 1

trip_vehicle = Table(
    "trip_vehicle",
    TRIPS,
    Column("vehicle_id", String(36), primary_key=True),
    Column("state", LargeBinary, nullable=False),
    Column("read_ms", BigInteger, nullable=False, index=True),
    Column("due_ms", BigInteger, index=True),
)
"""Where each vehicle's trips stand; `read_ms`: when its log was read last; `due_ms`: when the trip
that is open shall be said to have ended, should nothing more be heard. Both by this clock."""

trip_detail = Table(
    "trip_detail",
    TRIPS,
    Column("run", String(32), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("vehicle_id", String(36), nullable=False, index=True),
    Column("body", Text, nullable=False),
)
"""Route, settings and harsh events of trips that are not final, so that `state` stays small."""

trip = Table(
    "trip",
    TRIPS,
    Column("trip_id", String(64), primary_key=True),
    Column("vehicle_id", String(36), nullable=False),
    Column("driver", String(64), nullable=False, index=True),
    Column("origin", String(12), nullable=False),
    Column("started_ms", BigInteger, nullable=False, index=True),
    Column("ended_ms", BigInteger, nullable=False),
    Column("run", String(32), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("kept_ms", BigInteger, nullable=False, index=True),
    Column("body", Text, nullable=False),
    Index("trip_of_vehicle", "vehicle_id", "started_ms"),
)
"""Trips; `body` is the payload of the newest `TripEnded`, `run` the reading of the log it comes
from, `kept_ms` since when it is here."""
