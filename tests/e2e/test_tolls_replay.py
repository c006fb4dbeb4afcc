"""A recorded drive past a gantry is played onto the broker of a car that pays for its live ones."""

from pathlib import Path

from internetcar.launcher.broker import RunningBroker
from simulator.garage import reference_simulation
from tests.e2e.stage import Stage
from tests.e2e.toll_stage import Tolls

START_M, DRIVE_S = 700.0, 75.0
"""The drive of `car up`: past a gantry of the AYE within the first minute."""


def record(path: Path, seconds: float = DRIVE_S) -> None:
    """Write the drive's frames as candump does."""
    simulation = reference_simulation(start_m=START_M)
    with path.open("w", encoding="ascii") as file:
        for frame in simulation.frames_until(seconds):
            can_id = frame.can_id & 0x1FFF_FFFF
            name = f"{can_id:08X}" if frame.can_id >> 31 else f"{can_id:03X}"
            sign = "##0" if frame.is_fd else "#"
            file.write(f"({frame.t_s:.6f}) {frame.bus} {name}{sign}{frame.payload.hex()}\n")


def test_a_recording_played_onto_a_live_broker_is_proven_and_charges_nothing(
    stage: Stage, mosquitto: RunningBroker
) -> None:
    tolls = Tolls(stage, mosquitto, context="singapore", origin="live")
    tolls.until_ready()
    log = stage.folder / "drive.log"
    record(log)
    stage.ended(
        "replay", str(log), "--vehicle-id", "car", "--vehicle", "reference",
        "--broker", mosquitto.url.secret, "--start", "2026-07-06T23:57:20Z", "--speed", "3",
    )  # fmt: skip
    tolls.until(lambda: len(tolls.entries()) == 1, "the passage is known")
    (entry,) = tolls.entries()
    assert entry.account.state == "proven"
    assert entry.account.known.place.origin == "recording"
    assert entry.words == ("not charged: recording",)
    assert (entry.account.movements, entry.declared) == ((), ())
    assert tolls.paid_minor() == 0
