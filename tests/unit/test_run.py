"""One run of the gateway on a link that takes nothing for a while."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.outbox import Limits
from gateway.outbox_writer import Outbox
from gateway.run import Run
from gateway.telemetry import Batcher
from internetcar.contract.presence import Presence
from tests.unit.paced import MS, UTC_NS, Car, leaf
from tests.unit.wall import Wall

DBC = """\
VERSION ""
NS_ :
BS_:
BU_: Car
BO_ 256 Motion: 2 Car
 SG_ Door : 0|8@1+ (1,0) [0|255] "" Car
 SG_ Seat : 8|8@1+ (1,0) [0|255] "" Car
"""


class Drive:
    def __init__(self, folder: Path, leaves: dict[str, dict[str, Any]] | None = None) -> None:
        self.wall, self.car = Wall(), Car(DBC, leaves)
        presence = Presence.model_validate(
            {
                "vehicle_id": "small",
                "online": True,
                "journal": "j",
                "software": "x",
                "since": 0,
                "clock": "free",
                "origin": "live",
            }
        )
        self.outbox = Outbox(folder / "telemetry.db", "small", Limits())
        self.run = Run(
            self.car.assembly,
            link=self.wall,
            outbox=self.outbox,
            batcher=Batcher("j", previous=None, clock="free", origin="live"),
            presence=presence,
            in_flight=20,
        )
        self.outbox.start("j")

    def feed(self, now: int, door: int, seat: int) -> None:
        self.car.feed(now, 256, struct.pack("BB", door, seat))
        self.run.step((UTC_NS + now * MS) // MS)


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Drive]:
    started = Drive(tmp_path)
    yield started
    started.outbox.close()


def test_a_change_that_the_link_did_not_take_is_said_once_it_does(drive: Drive) -> None:
    drive.feed(0, door=0, seat=1)
    assert drive.wall.said == {"Motion.Door": 0, "Motion.Seat": 1}
    drive.wall.has_room = False
    drive.feed(1000, door=1, seat=1)
    drive.feed(3000, door=1, seat=1)
    assert drive.wall.said == {"Motion.Door": 0, "Motion.Seat": 1}
    drive.wall.has_room = True
    drive.feed(5000, door=1, seat=1)
    assert drive.wall.said == {"Motion.Door": 1, "Motion.Seat": 1}


def test_telemetry_has_what_the_link_did_not_take(drive: Drive) -> None:
    drive.feed(0, door=0, seat=1)
    drive.wall.has_room = False
    drive.feed(500, door=1, seat=1)
    drive.feed(1500, door=1, seat=1)
    first, second = drive.outbox.batches("j", 1, 2).result(timeout=20)
    assert json.loads(first)["kind"] == "snapshot"
    assert json.loads(second)["samples"]["Motion.Door"] == [[0, 0], [500, 1]]


def test_a_change_that_pacing_holds_is_said_before_another_mapping_is_taken_up(
    drive: Drive,
) -> None:
    drive.feed(0, door=0, seat=1)
    drive.feed(50, door=1, seat=1)
    drive.run.adopt(Car(DBC, None).assembly)
    assert drive.wall.said == {"Motion.Door": 1, "Motion.Seat": 1}


def test_another_mapping_says_at_once_what_the_last_frames_mean_under_it(drive: Drive) -> None:
    drive.feed(0, door=3, seat=1)
    twice = {"Vehicle.Door": leaf("Door", transform={"math": "x*2"})}
    successor = Car(DBC, twice).assembly
    successor.pipeline.succeed(drive.car.pipeline)
    drive.run.adopt(successor)
    assert drive.wall.said == {"Vehicle.Door": 6}


def test_the_last_position_is_said_again_when_the_broker_is_back(tmp_path: Path) -> None:
    place = {f"Vehicle.CurrentLocation.{name}itude" for name in ("Lat", "Long")}
    leaves = {path: leaf("Door", "double") for path in place}
    drive = Drive(tmp_path, leaves)
    drive.wall.has_room = drive.wall.is_open = False
    drive.feed(0, door=3, seat=1)
    assert drive.wall.positions == []
    drive.wall.has_room = drive.wall.is_open = True
    drive.run.say_all()
    drive.outbox.close()
    assert drive.wall.positions == [3.0]
