"""The tables of the recommendation service, beside those of the floor."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

RECOMMENDATIONS = MetaData()
VERSION = 2

vehicle = Table(
    "recommendation_vehicle",
    RECOMMENDATIONS,
    Column("vehicle_id", String(36), primary_key=True),
    Column("journey", Text),
    Column("ended", Text, nullable=False),
    Column("paused_until_ms", BigInteger),
)
"""A vehicle, and its lock: the trip that is on, as JSON; digests of the trips that ended last; and
until when nothing is said, UTC ms by this clock."""

driver = Table(
    "recommendation_driver",
    RECOMMENDATIONS,
    Column("vehicle_id", String(36), primary_key=True),
    Column("driver", String(64), primary_key=True),
    Column("issued", Integer, nullable=False),
    Column("version", String(64), nullable=False),
    Column("weights", LargeBinary),
)
"""A driver of a vehicle: how many ids of places were given; what all that is known of the driver
derives from, as a digest; and what was learned, none: it is learned anew from the visits."""

place = Table(
    "recommendation_place",
    RECOMMENDATIONS,
    Column("vehicle_id", String(36), primary_key=True),
    Column("driver", String(64), primary_key=True),
    Column("place_id", String(64), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("lat_deg", Float(53), nullable=False),
    Column("lon_deg", Float(53), nullable=False),
    Column("ends", Integer, nullable=False),
    Column("label", String(64)),
)
"""Places in the order of their making."""

visit = Table(
    "recommendation_visit",
    RECOMMENDATIONS,
    Column("vehicle_id", String(36), primary_key=True),
    Column("trip_id", String(64), primary_key=True),
    Column("driver", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, nullable=False),
    Column("day", Float(53), nullable=False),
    Column("place_id", String(64), nullable=False),
    Column("origin_id", String(64), nullable=False),
    Column("before_id", String(64), nullable=False),
    Column("stayed_min", Float(53), nullable=False),
    Column("route", Text),
    Column("kept_ms", BigInteger, nullable=False, index=True),
    Index("recommendation_visit_of_driver", "vehicle_id", "driver", "started_ms", "trip_id"),
)
"""Where trips ended, with what was asked when they began; `kept_ms`: since when it is here, by this
clock; `route`: of the newest to each place."""

offer = Table(
    "recommendation_offer",
    RECOMMENDATIONS,
    Column("vehicle_id", String(36), primary_key=True),
    Column("offer_id", String(64), primary_key=True),
    Column("driver", String(64), nullable=False),
    Column("place_id", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("day", Float(53), nullable=False),
    Column("origin_id", String(64), nullable=False),
    Column("probability", Float(53), nullable=False),
    Column("state", String(12), nullable=False),
    Column("kept_ms", BigInteger, nullable=False, index=True),
    Index("recommendation_offer_of_driver", "vehicle_id", "driver", "state"),
)
"""What was offered, by the trip's clock; `state`: open, accepted, rejected or expired."""

evidence = Table(
    "recommendation_evidence",
    RECOMMENDATIONS,
    Column("vehicle_id", String(36), primary_key=True),
    Column("trip_id", String(64), primary_key=True),
    Column("kind", String(12), primary_key=True),
    Column("driver", String(64), nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("day", Float(53), nullable=False),
    Column("place_id", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("kept_ms", BigInteger, nullable=False, index=True),
    Index("recommendation_evidence_of_driver", "vehicle_id", "driver", "kind", "started_ms"),
)
"""What each kind of advice keeps of a trip, as JSON; `place_id`: where it led, empty: not known."""

proposal = Table(
    "recommendation_proposal",
    RECOMMENDATIONS,
    Column("vehicle_id", String(36), primary_key=True),
    Column("offer_id", String(64), primary_key=True),
    Column("driver", String(64), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("trip_id", String(64), nullable=False),
    Column("key", String(128), nullable=False),
    Column("body", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),
    Column("kept_ms", BigInteger, nullable=False, index=True),
    Index("recommendation_proposal_of_driver", "vehicle_id", "driver", "kind", "at_ms"),
)
"""What was offered beside destinations; `key`: what it is, the same on another trip; `body`: the
message, empty once it may name what was forgotten; `state`: as of an offer."""

order = Table(
    "recommendation_order",
    RECOMMENDATIONS,
    Column("vehicle_id", String(36), primary_key=True),
    Column("command_id", String(64), primary_key=True),
    Column("offer_id", String(64), nullable=False),
    Column("driver", String(64), nullable=False),
    Column("purpose", String(12), nullable=False),
    Column("path", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(12), nullable=False, index=True),
    Column("reason", String(64)),
    Column("ordered_ms", BigInteger, nullable=False),
    Column("kept_ms", BigInteger, nullable=False, index=True),
    Index("recommendation_order_of_offer", "vehicle_id", "offer_id"),
)
"""What was asked of a car for an offer, a setting each; `purpose`: to apply it, or to undo that;
`body`: the value and the one before, as JSON; `ordered_ms`: when, by this clock."""

asker = Table(
    "recommendation_asker",
    RECOMMENDATIONS,
    Column("vehicle_id", String(36), primary_key=True),
    Column("offer_id", String(64), primary_key=True),
    Column("requester", String(36), primary_key=True),
    Column("kept_ms", BigInteger, nullable=False, index=True),
)
"""Who waits to hear what became of an offer."""

automatic = Table(
    "recommendation_automatic",
    RECOMMENDATIONS,
    Column("vehicle_id", String(36), primary_key=True),
    Column("driver", String(64), primary_key=True),
    Column("kind", String(12), primary_key=True),
)
"""Which kinds of offers a driver wants applied without being asked."""

forgotten = Table(
    "recommendation_forgotten",
    RECOMMENDATIONS,
    Column("digest", String(64), primary_key=True),
    Column("until_ms", BigInteger),
    Column("kept_ms", BigInteger, nullable=False, index=True),
)
"""Digests of trips that must not come back, and of drivers, with the start of their last one."""

request = Table(
    "recommendation_request",
    RECOMMENDATIONS,
    Column("vehicle_id", String(36), primary_key=True),
    Column("requester", String(36), primary_key=True),
    Column("request_id", String(64), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("answer", Text, nullable=False),
    Column("kept_ms", BigInteger, nullable=False, index=True),
)
"""What was asked, as a digest, and what was answered: neither names a driver nor a place."""
