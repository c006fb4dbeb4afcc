"""`car explain`: one leaf, from its frame to what was published or why nothing was."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.explain import Heard, NoSuchLeafError, explain_heard, no_such_leaf
from internetcar.contract.link import Link
from internetcar.contract.message import InputError
from internetcar.contract.presence import BusHealth, BusState, Health, Presence
from internetcar.contract.signals import Catalog, CatalogLeaf, Signal
from internetcar.launcher import explain
from internetcar.launcher.broker import RunningBroker
from tests.data import data_path

RUN = CliRunner().invoke
NOW = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
DBC = """\
VERSION ""
BS_:
BU_: A
BO_ 256 ESP: 8 A
 SG_ SPEED : 0|16@1+ (0.01,0) [0|300] "km/h" A
 SG_ GEAR : 16|8@1+ (1,0) [0|9] "" A
BO_ 512 SILENT: 8 A
 SG_ QUIET : 0|8@1+ (1,0) [0|0] "" A
BO_ 768 MUX: 8 A
 SG_ PAGE M : 0|8@1+ (1,0) [0|0] "" A
 SG_ SECOND m2 : 8|8@1+ (1,0) [0|0] "" A
VAL_ 256 GEAR 1 "PARK" 2 "DRIVE" ;
"""


def leaf(signal: str, **more: Any) -> dict[str, Any]:
    return {"type": "sensor", "datatype": "float", "dbc2vss": {"signal": signal, **more}}


RULES = {
    "Vehicle.Speed": {**leaf("SPEED", interval_ms=500, deadband=0.5), "unit": "km/h"},
    "Vehicle.Gear": leaf("GEAR", transform={"mapping": [{"from": "DRIVE", "to": 1}]}),
    "Vehicle.Math": leaf("GEAR", transform={"math": "x*2"}),
    "Vehicle.Quiet": leaf("QUIET"),
    "Vehicle.Second": leaf("SECOND"),
    "Vehicle.Chosen": leaf("PAGE", multiplexer=[{"signal": "PAGE", "value": 2}]),
    "Vehicle.Absent": leaf("NOWHERE"),
    "Vehicle.Horn": {
        "type": "actuator",
        "datatype": "boolean",
        "vss2dbc": {"signal": "SPEED"},
    },
}


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    (tmp_path / "car.dbc").write_text(DBC)
    (tmp_path / "rules.json").write_text(json.dumps(RULES))
    lines = [f"({100 + n / 100:.3f}) can0 100#{n:02X}00{1:02X}0000000000" for n in range(200)]
    lines += ["(102.000) can0 300#0107000000000000"]
    lines += ["(102.000) can0 300#0107000000000000", "(102.000) can1 200#00"]
    (tmp_path / "drive.log").write_text("\n".join(lines))
    return [
        *("--log", str(tmp_path / "drive.log"), "--dbc", f"can0={tmp_path / 'car.dbc'}"),
        *("--mapping", str(tmp_path / "rules.json")),
    ]


def explained(path: str, arguments: Sequence[str], code: int = 0) -> dict[str, str]:
    result = RUN(explain.app, [path, *arguments])
    assert result.exit_code == code, result.output
    first, *lines = result.output.splitlines()
    assert first == path
    return {line.split()[0]: line.split(maxsplit=1)[1].strip() for line in lines if line.strip()}


def test_a_leaf_is_followed_from_frame_to_broker(arguments: list[str]) -> None:
    steps = explained("Vehicle.Speed", arguments)
    assert steps["frame"] == "can0 0x100 ESP: 200 times, every 10 ms, last 0.010 s before the end"
    assert steps["signal"] == "SPEED, 16 bits: raw 199 is 1.99 km/h"
    assert steps["leaf"] == "float km/h, the number as it is; 1.99, valid"
    assert steps["published"].startswith("4 times, last 1.5 (valid), 0.500 s before the end")
    assert "on change, 500 ms apart at least, if it moved by 0.5" in steps["published"]


def test_a_number_without_a_value_in_the_table_is_counted(arguments: list[str]) -> None:
    steps = explained("Vehicle.Gear", arguments, code=1)
    assert steps["signal"].endswith("raw 1 is 1 (PARK)")
    assert steps["leaf"] == (
        "float, a table of 1 values; no value; 1 changes have no value in its rule"
    )
    assert steps["published"].startswith("no: its rule has no value for any number that came")


def test_math_is_shown(arguments: list[str]) -> None:
    assert explained("Vehicle.Math", arguments)["leaf"] == "float, math x*2; 2, valid"


def test_a_frame_that_did_not_come_is_the_reason(arguments: list[str]) -> None:
    steps = explained("Vehicle.Quiet", arguments, code=1)
    assert steps["frame"] == "can0 0x200 SILENT: none came, of 202 frames of can0"
    assert steps["published"].startswith("no: its frame did not come")


def test_a_multiplexer_with_another_value_is_the_reason(arguments: list[str]) -> None:
    steps = explained("Vehicle.Second", arguments, code=1)
    assert steps["signal"] == "SECOND, 8 bits: never carried by a frame"
    assert "another multiplexer value" in steps["published"]


def test_a_rule_for_another_multiplexer_value_is_the_reason(arguments: list[str]) -> None:
    steps = explained("Vehicle.Chosen", arguments, code=1)
    assert steps["published"] == "no: the multiplexer never had the value its rule wants"


def test_without_a_mapping_every_signal_is_a_leaf(arguments: list[str]) -> None:
    steps = explained("ESP.GEAR", arguments[:4])
    assert steps["leaf"] == "int64, the number as it is; 1, valid"


def test_settings_can_name_databases_and_mapping(arguments: list[str], tmp_path: Path) -> None:
    config = tmp_path / "internetcar.toml"
    config.write_text(
        f'vehicle_id = "kona"\nmapping = "{arguments[5]}"\n'
        f'[[buses]]\nname = "can0"\ndbc = ["{arguments[3].removeprefix("can0=")}"]\n'
    )
    with_config = ["--log", arguments[1], "--config", str(config)]
    assert explained("Vehicle.Speed", with_config) == explained("Vehicle.Speed", arguments)


def test_a_vehicle_line_names_databases_and_mapping(arguments: list[str]) -> None:
    result = RUN(explain.app, ["Vehicle.Speed", "--log", arguments[1], "--vehicle", "reference"])
    assert "its channels are can0, can1, and the --dbc are for powertrain" in str(result.exception)


def test_a_leaf_that_is_told_whole_has_no_way_through_a_recording(
    arguments: list[str], tmp_path: Path
) -> None:
    config = tmp_path / "car.toml"
    dbc, rules = json.dumps(str(tmp_path / "car.dbc")), json.dumps(str(tmp_path / "rules.json"))
    config.write_text(
        f'mapping = {rules}\n[[buses]]\nname = "can0"\nobd = "listen"\ndbc = [{dbc}]\n'
    )
    result = RUN(
        explain.app, ["Vehicle.Diagnostics.DTCList", *arguments[:2], "--config", str(config)]
    )
    assert isinstance(result.exception, InputError)
    assert "told by can0/OBD.03, not by a signal" in str(result.exception)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("Vehicle.Sped", "near it: Vehicle.Speed"),
        ("Speed", "near it: Vehicle.Speed"),
        ("Vehicle.Absent", "no NOWHERE in these databases"),
        ("Vehicle.Horn", "its mapping only sets it"),
        ("Q", "there are 6 others"),
    ],
)
def test_what_is_no_leaf_here_is_an_error_in_words(
    path: str, words: str, arguments: list[str]
) -> None:
    result = RUN(explain.app, [path, *arguments])
    assert isinstance(result.exception, InputError)
    assert words in str(result.exception)


def test_other_wrong_input_is_an_error_in_words(arguments: list[str]) -> None:
    log, dbc = arguments[1], arguments[3].removeprefix("can0=")
    for wrong, words in (
        (["--log", log], "car identify"),
        (["--log", log, "--dbc", dbc], "say of which bus"),
        (["--log", log, "--dbc", f"can7={dbc}"], "its channels are can0, can1"),
        (["--config", "absent.toml"], "absent.toml: cannot be read"),
    ):
        result = RUN(explain.app, ["ESP.SPEED", *wrong])
        assert isinstance(result.exception, InputError)
        assert words in str(result.exception)


def test_the_kona_s_charge_fell_stale_because_its_frame_stopped() -> None:
    pytest.importorskip("opendbc", reason="pip install 'internetcar[cars]'")
    folder = data_path("can/kona-ev")
    steps = explained(
        "Vehicle.Powertrain.TractionBattery.StateOfCharge.Displayed",
        [
            *("--log", str(folder / "power-off-on-ready-off.pcan0.ccan1.candump.log")),
            *("--dbc", f"can0={folder / 'pcan.fixed.dbc'}", "--vehicle", "hyundai_kona_ev"),
        ],
    )
    assert steps["frame"].startswith("can0 0x542 BMS_542: 70 times")
    assert steps["leaf"].endswith("36.5, stale")


PRESENCE = Presence(
    vehicle_id="kona", online=True, journal="j", since=NOW - timedelta(seconds=90),
    clock="synchronized", origin="live", software="test",
    buses={"can0": BusState(interface="socketcan:can0")},
)  # fmt: skip
LEAF = CatalogLeaf(unit="km/h", source="can0/ESP.SPEED", max_interval_ms=60_000)
SIGNAL = Signal(vehicle_id="kona", path="Vehicle.Speed", value=42.0, at=NOW - timedelta(seconds=2))
HEALTH = Health(
    vehicle_id="kona", at=NOW, outbox_batches=0, unmappable={"Vehicle.Gear": 7},
    buses={"can0": BusHealth(frames=1000, frames_per_s=50.0, unknown_ids=3)},
)  # fmt: skip


def heard_steps(path: str, heard: Heard) -> dict[str, str]:
    return dict(explain_heard(path, heard, NOW))


def test_a_running_gateway_says_what_it_knows() -> None:
    heard = Heard(PRESENCE, HEALTH, SIGNAL, {"Vehicle.Speed": LEAF})
    steps = heard_steps("Vehicle.Speed", heard)
    assert steps["gateway"] == "kona online; started 90 s ago, live"
    assert steps["frame"] == (
        "ESP on can0 (socketcan:can0) is up, 1000 frames, 50 a second, 3 of unknown identifiers"
    )
    assert steps["signal"] == "SPEED"
    assert steps["leaf"] == "float km/h, said on change, unchanged every 60 s"
    assert steps["published"] == "42, valid; its frame is 2.0 s old"


def test_a_running_gateway_says_why_there_is_nothing() -> None:
    leaves = {"Vehicle.Gear": LEAF, "Vehicle.Quiet": LEAF}
    assert (
        "its rule has no value"
        in (heard_steps("Vehicle.Gear", Heard(PRESENCE, HEALTH, None, leaves))["published"])
    )
    assert (
        "has not come"
        in (heard_steps("Vehicle.Quiet", Heard(PRESENCE, HEALTH, None, leaves))["published"])
    )
    gone = PRESENCE.model_copy(update={"online": False})
    steps = heard_steps("Vehicle.Quiet", Heard(gone, None, None, leaves))
    assert steps["published"] == "no: the gateway is offline"
    assert "its health was not heard" in steps["frame"]
    nobody = heard_steps("Vehicle.Quiet", Heard(None, None, None, leaves))
    assert nobody["gateway"] == "never heard on this broker"


def test_a_stale_value_says_why() -> None:
    stale = SIGNAL.model_copy(update={"quality": "stale"})
    asleep = PRESENCE.model_copy(update={"asleep": True})
    steps = heard_steps("Vehicle.Speed", Heard(asleep, HEALTH, stale, {"Vehicle.Speed": LEAF}))
    assert "stale: its frame stopped coming while its bus talks on" in steps["published"]
    assert "asleep: every bus is silent" in steps["gateway"]


def test_a_leaf_the_gateway_has_not_is_named_with_its_neighbours() -> None:
    with pytest.raises(NoSuchLeafError, match=r"near it: Vehicle\.Speed"):
        explain_heard("Vehicle.Sped", Heard(leaves={"Vehicle.Speed": LEAF}), NOW)
    assert "there are 0 others" in str(no_such_leaf("A.B", []))


def test_a_gateway_is_asked_over_its_broker(mosquitto: RunningBroker, arguments: list[str]) -> None:
    link = Link(mosquitto.url, "gateway-kona")
    link.start(wait_s=10)
    for message in (PRESENCE, Catalog(vehicle_id="kona", group="Vehicle",
                                      leaves={"Vehicle.Speed": LEAF}), SIGNAL):  # fmt: skip
        link.publish(message)
    assert link.drain(10)
    broker = ["--broker", mosquitto.url.secret]
    assert explained("Vehicle.Speed", broker)["published"].startswith("42, valid")
    wrong = RUN(explain.app, ["Vehicle.Speed", "--vehicle-id", "other", *broker])
    assert "no such vehicle" in str(wrong.exception)
    with_dbc = ["--dbc", arguments[3], "--mapping", arguments[5], "--vehicle-id", "kona"]
    absent = RUN(explain.app, ["Vehicle.Absent", *with_dbc, *broker])
    assert "no NOWHERE in these databases" in str(absent.exception)
    link.publish(PRESENCE.model_copy(update={"vehicle_id": "other"}))
    assert link.drain(10)
    either = RUN(explain.app, ["Vehicle.Speed", *broker])
    assert "which one?" in str(either.exception)
    assert "knows kona, other" in str(either.exception)
    link.stop()


def test_help_says_both_ways() -> None:
    text = " ".join(RUN(explain.app, ["--help"]).output.split())
    assert "a recording is followed without a broker" in text
