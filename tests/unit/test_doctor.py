"""`car doctor`: what is in order, what is broken, and the fix for it."""

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.coverage import coverage
from gateway.databases import parse_database
from gateway.doctor import (
    Finding,
    judge_clock,
    judge_coverage,
    judge_disk,
    judge_frames,
    judge_gateway,
    judge_interface,
    judge_machine,
    judge_rights,
)
from gateway.drain import BusCounters
from gateway.interfaces import CanInterface
from gateway.settings import TelemetrySettings
from gateway.traffic import Traffic
from internetcar.contract.message import InputError
from internetcar.contract.presence import Health, Presence
from internetcar.launcher import doctor
from internetcar.launcher.broker import RunningBroker, free_port
from simulator.bus import BusChoice
from simulator.process import Settings, run
from tests.conftest import need_mosquitto

RUN = CliRunner().invoke
NOW = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
DBC = 'VERSION ""\nBS_:\nBU_: A\nBO_ 256 ESP: 8 A\n'


def can0(**more: object) -> CanInterface:
    known = {"kind": "can", "is_up": True, "takes_fd": False, "bitrate": 500_000,
             "controller_state": "ERROR-ACTIVE", "is_listen_only": True}  # fmt: skip
    return CanInterface(name="can0", **{**known, **more})  # type: ignore[arg-type] # by name


def by_subject(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}


def interface(found: CanInterface, *, used: bool = True, sends: bool = False) -> dict[str, Finding]:
    return by_subject(judge_interface(found, is_used=used, transmits=sends))


def heard(*can_ids: int) -> Traffic:
    traffic = Traffic()
    for can_id in can_ids:
        traffic.add(can_id, bytes(8))
    return traffic


def test_an_interface_that_only_listens_is_in_order() -> None:
    found = interface(can0())
    assert {one.state for one in found.values()} == {"ok"}
    assert found["can0 bit rate"].text == "500000 bit/s"
    assert found["can0 listen-only"].text.startswith("on")


def test_an_interface_without_a_bit_rate_is_broken_where_it_is_used() -> None:
    found = interface(can0(is_up=False, bitrate=None, controller_state="STOPPED"))
    assert (found["can0"].state, found["can0 bit rate"].state) == ("broken", "broken")
    assert "up type can bitrate 500000 listen-only on" in found["can0 bit rate"].fix
    unused = interface(can0(is_up=False), used=False)
    assert unused["can0"] == Finding("note", "can0", "down", "sudo ip link set can0 up")


def test_a_controller_full_of_errors_points_at_the_bit_rate() -> None:
    found = interface(can0(controller_state="BUS-OFF"))["can0 bit rate"]
    assert found.state == "broken"
    assert "bitrate 250000" in found.fix
    other = interface(can0(controller_state="ERROR-PASSIVE", bitrate=250_000))["can0 bit rate"]
    assert "bitrate 500000" in other.fix


def test_listen_only_is_a_wish_unless_the_bus_transmits() -> None:
    off = interface(can0(is_listen_only=False))["can0 listen-only"]
    assert (off.state, "listen-only on" in off.fix) == ("note", True)
    on = interface(can0(), sends=True)["can0 listen-only"]
    assert (on.state, "listen-only off" in on.fix) == ("broken", True)
    assert interface(can0(is_listen_only=False), sends=True)["can0 listen-only"].fix == ""


def test_a_virtual_interface_has_no_bit_rate() -> None:
    found = interface(CanInterface("vcan0", "vcan", is_up=True, takes_fd=True))
    assert found["vcan0 bit rate"].text == "virtual, has none"
    told_nothing = interface(CanInterface("can0", None, is_up=True, takes_fd=True))
    assert told_nothing["can0 bit rate"].state == "ok"


def test_a_machine_without_can_is_told_what_it_can_do() -> None:
    assert "modprobe" in judge_machine([], has_socketcan=False)[0].fix
    assert "car up" in judge_machine([], has_socketcan=True)[0].fix
    assert judge_machine([can0()], has_socketcan=True)[0].text == "can0 (can)"


@pytest.mark.parametrize(
    ("traffic", "counters", "state", "words"),
    [
        (heard(1, 2), BusCounters(state="up"), "ok", "2 in 1 s, 2 identifiers"),
        (heard(), BusCounters(state="up"), "note", "ignition"),
        (heard(), BusCounters(state="up", error_frames=9), "broken", "bit rate is wrong"),
        (
            heard(),
            BusCounters(reason="there is no interface can0: plug it in"),
            "broken",
            "plug it in",
        ),
        (heard(), BusCounters(state="refused", reason="can0: Busy"), "broken", "can0: Busy"),
        (heard(), BusCounters(), "broken", "missing"),
        (heard(), BusCounters(state="up", reason="ELM327 v1.5: answers"), "ok", "ELM327 v1.5"),
    ],
)
def test_what_came_is_judged(
    traffic: Traffic, counters: BusCounters, state: str, words: str
) -> None:
    found = judge_frames("can0", traffic, counters, 1.0, is_used=True)
    assert found.state == state
    assert words in f"{found.text} {found.fix}"


def test_a_database_that_knows_nothing_is_broken_and_one_that_knows_some_a_note() -> None:
    databases = [parse_database(DBC, "car.dbc", "dbc")]
    states = []
    for ids in ([0x100], [0x100, 0x200, 0x201], [0x200]):
        judged = judge_coverage("can0", coverage(heard(*ids), databases), "some")
        assert judged is not None
        states.append((judged.state, "another car" in judged.text))
    assert states == [("ok", False), ("note", True), ("broken", True)]
    assert judge_coverage("can0", coverage(heard(), databases), "none") is None


def test_clock_disk_and_rights_are_judged() -> None:
    assert judge_clock("synchronized").state == "ok"
    assert "set-ntp" in judge_clock("free").fix
    limits = TelemetrySettings()
    states = [
        judge_disk("/state", free, limits, is_writable=writable).state
        for free, writable in ((2 << 30, True), (1 << 30, True), (1 << 20, True), (2 << 30, False))
    ]
    assert states == ["ok", "note", "broken", "broken"]
    rights = judge_rights(
        is_admin=False, closed_ports=["/dev/ttyACM0"], user="me", has_interfaces=True
    )
    assert "usermod -aG dialout me" in rights[0].fix
    assert "need sudo" in rights[1].text
    nothing = judge_rights(is_admin=True, closed_ports=[], user="me", has_interfaces=True)
    assert [one.state for one in nothing] == ["ok"]


def test_a_gateway_that_runs_tells_its_problems() -> None:
    presence = Presence(
        vehicle_id="kona", online=True, asleep=True, journal="j", since=NOW, clock="free",
        origin="live", software="test",
    )  # fmt: skip
    health = Health(
        vehicle_id="kona", at=NOW, buses={}, outbox_batches=0, problems=["can0 is down"]
    )
    found = judge_gateway(presence, health)
    assert [one.text for one in found] == ["kona is online, asleep, clock free", "can0 is down"]
    assert [one.state for one in found] == ["ok", "broken"]
    assert len(judge_gateway(presence, None)) == 1
    assert judge_gateway(presence.model_copy(update={"online": False}), health) == []


@pytest.fixture(autouse=True)
def aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No broker, state folder or loopback channel of this machine's user; the log as it was."""
    monkeypatch.delenv("INTERNETCAR_BROKER", raising=False)
    for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "INTERNETCAR_RUN"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


def test_it_runs_without_any_argument_and_without_can() -> None:
    result = RUN(doctor.app, [])
    assert result.exit_code == 0, result.output
    for subject in ("interfaces", "broker", "rights", "clock", "disk", "nothing is broken"):
        assert subject in result.output
    assert "fix: `car up` starts one" in result.output


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    """Settings for the reference car's powertrain, which drives beside."""
    path = tmp_path / "internetcar.toml"
    path.write_text(
        'vehicle_id = "mine"\nvehicle = "reference"\n'
        '[[buses]]\nname = "powertrain"\ninterface = "loopback"\nchannel = "doctor"\n'
    )
    stop = threading.Event()
    choice = BusChoice("powertrain", "loopback", "doctor")
    thread = threading.Thread(target=run, args=(Settings((choice,)), stop, 0))
    thread.start()
    yield path
    stop.set()
    thread.join()


def test_a_bus_its_databases_and_the_broker_s_rules_are_tried(
    config: Path, mosquitto: RunningBroker
) -> None:
    result = RUN(doctor.app, ["--config", str(config), "--broker", mosquitto.url.secret])
    assert result.exit_code == 0, result.output
    assert "powertrain DBC      knows 100 % of the frames" in result.output
    assert "may publish v1/vehicle/mine/…" in result.output


def test_a_broker_that_delivers_nothing_of_ours_is_broken(tmp_path: Path) -> None:
    need_mosquitto()
    with RunningBroker("mosquitto", tmp_path / "broker", access="topic read #\n") as broker:
        result = RUN(doctor.app, ["--broker", broker.url.secret])
    assert result.exit_code == 1
    assert "broken  broker rights       what car publishes is not delivered" in result.output
    assert "let car read and write v1/vehicle/doctor/# in the broker's access" in result.output


def test_what_cannot_be_reached_or_read_is_a_line_with_its_fix(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("nonsense = 1\n")
    arguments = ["--config", str(wrong), "--bus", "nowhere", "--seconds", "0.1"]
    result = RUN(doctor.app, [*arguments, "--broker", f"mqtt://127.0.0.1:{free_port()}"])
    assert result.exit_code == 1
    assert "nonsense: no such setting" in result.output
    assert "Connection refused" in result.output
    assert "broken  nowhere frames" in result.output
    assert "3 broken" in result.output
    assert "broken  broker" in RUN(doctor.app, ["--broker", "nowhere:80"]).output


def test_a_bus_that_is_none_is_an_error_in_words() -> None:
    result = RUN(doctor.app, ["--bus", "nosuch:x"])
    assert isinstance(result.exception, InputError)
    assert "no interface 'nosuch'" in str(result.exception)


def test_help_says_that_it_only_listens() -> None:
    assert "It only listens" in " ".join(RUN(doctor.app, ["--help"]).output.split())
