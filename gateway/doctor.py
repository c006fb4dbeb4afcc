"""What is in order, what is not, and the one thing that mends it (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.coverage import Coverage
from gateway.drain import BusCounters
from gateway.interfaces import CanInterface
from gateway.settings import TelemetrySettings
from gateway.traffic import Traffic
from internetcar.contract.presence import Clock, Health, Presence

State = Literal["ok", "note", "broken"]

LEAST_FREE_BYTES = 64 << 20
MIB = 1 << 20
GOOD_SHARE = 0.9
POOR_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    state: State
    """`note`: works, or is not needed here; a person may still want to know the fix."""
    subject: str
    text: str
    fix: str = ""
    """A command to paste or a thing to do; empty where there is nothing to mend."""


def judge_machine(interfaces: Sequence[CanInterface], *, has_socketcan: bool) -> list[Finding]:
    """Whether this machine can have CAN buses at all."""
    if not has_socketcan:
        text = "this kernel opens no CAN sockets: no SocketCAN, or this process may not"
        fix = "sudo modprobe can_raw; without it serial adapters (slcan:/dev/ttyACM0) still work"
        return [Finding("note", "interfaces", text, fix)]
    if not interfaces:
        fix = "plug a CAN adapter in; `car up` needs none, it simulates a car"
        return [Finding("note", "interfaces", "no CAN interface on this machine", fix)]
    names = ", ".join(f"{one.name} ({one.kind or 'CAN'})" for one in interfaces)
    return [Finding("ok", "interfaces", names)]


def judge_interface(found: CanInterface, *, is_used: bool, transmits: bool) -> list[Finding]:
    """How one interface is: up, its bit rate, and whether it only listens.

    Args:
        found: The interface.
        is_used: The user named it: then what keeps it from working is broken, else a note.
        transmits: The settings let the gateway send on it.
    """
    worse: State = "broken" if is_used else "note"
    fix = found.fix() or ""
    findings = [
        Finding("ok", found.name, "up") if found.is_up else Finding(worse, found.name, "down", fix)
    ]
    if found.kind in ("vcan", "vxcan"):
        return [*findings, Finding("ok", f"{found.name} bit rate", "virtual, has none")]
    findings.append(_bit_rate(found, worse, fix))
    if found.is_listen_only is not None:
        findings.append(_listen_only(found, transmits=transmits))
    return findings


def _bit_rate(found: CanInterface, worse: State, fix: str) -> Finding:
    subject = f"{found.name} bit rate"
    if found.bitrate is None:
        if found.kind != "can":
            return Finding("ok", subject, "not told by this interface")
        return Finding(worse, subject, "not set; most cars have 500000, some 250000 or 125000", fix)
    if found.controller_state in ("ERROR-PASSIVE", "BUS-OFF"):
        text = f"{found.bitrate} bit/s, and the controller is {found.controller_state}"
        other = 250_000 if found.bitrate == 500_000 else 500_000
        fix = (
            f"sudo ip link set {found.name} down && sudo ip link set {found.name} up type can"
            f" bitrate {other} listen-only on   (or check CAN-H, CAN-L and termination)"
        )
        return Finding(worse, subject, text, fix)
    return Finding("ok", subject, f"{found.bitrate} bit/s")


def _listen_only(found: CanInterface, *, transmits: bool) -> Finding:
    subject = f"{found.name} listen-only"
    if transmits:
        if found.is_listen_only:
            fix = (
                f"sudo ip link set {found.name} down && sudo ip link set {found.name} up type can"
                " listen-only off"
            )
            return Finding("broken", subject, "on, but its settings say transmit = true", fix)
        return Finding("note", subject, "off, as transmit = true needs it")
    if found.is_listen_only:
        return Finding("ok", subject, "on: it does not even acknowledge")
    fix = (
        f"sudo ip link set {found.name} down && sudo ip link set {found.name} up type can"
        " listen-only on"
    )
    text = "off: the adapter acknowledges frames; the gateway sends none all the same"
    return Finding("note", subject, text, fix)


def judge_frames(
    name: str, traffic: Traffic, counters: BusCounters, listened_s: float, *, is_used: bool
) -> Finding:
    """What came while we listened."""
    subject = f"{name} frames"
    if counters.state in ("missing", "refused", "down"):
        state: State = "broken" if is_used else "note"
        reason, colon, fix = counters.reason.partition(": ")
        if " " not in reason:  # a name and what the system says of it
            reason, fix = (
                f"{reason}{colon}{fix}" or counters.state,
                "check that it is plugged in and that --bus names it as the system does",
            )
        return Finding(state, subject, reason, fix)
    if counters.reason:  # of a bus that is up: what its adapter is
        return Finding("ok", subject, f"{traffic.frames} in {listened_s:g} s; {counters.reason}")
    if not traffic.frames:
        text = f"none in {listened_s:g} s"
        if counters.error_frames:
            fix = "the bit rate is wrong, or CAN-H and CAN-L are swapped"
            return Finding("broken", subject, f"{text}, but {counters.error_frames} errors", fix)
        fix = "switch the ignition on; check plug, CAN-H, CAN-L and the bit rate"
        return Finding("note", subject, text, fix)
    text = f"{traffic.frames} in {listened_s:g} s, {len(traffic.ids)} identifiers"
    return Finding("ok", subject, text)


def judge_coverage(name: str, found: Coverage, share: str) -> Finding | None:
    """How far databases explain a bus; `None` where nothing came. `share`: as people read it."""
    if not found.frames:
        return None
    subject = f"{name} DBC"
    if found.share >= GOOD_SHARE:
        return Finding("ok", subject, f"knows {share} of the frames")
    state: State = "note" if found.known else "broken"
    hint = "; perhaps another car's" if found.share < POOR_SHARE else ""
    return Finding(
        state, subject, f"knows {share} of the frames{hint}", f"`car identify {name}` tries others"
    )


def judge_clock(clock: Clock) -> Finding:
    """Whether instants can be trusted."""
    if clock == "synchronized":
        return Finding("ok", "clock", "synchronized")
    text = "free: nothing sets it, and telemetry says so (tolls and commands will not trust it)"
    return Finding("note", "clock", text, "sudo timedatectl set-ntp true")


def judge_disk(
    folder: str, free_bytes: int, limits: TelemetrySettings, *, is_writable: bool
) -> Finding:
    """Whether what must last has room."""
    if not is_writable:
        fix = "give --state DIR, or make the folder yours: sudo chown $USER DIR"
        return Finding("broken", "disk", f"{folder} cannot be written", fix)
    needed = (limits.unsent_mib + limits.history_mib) * MIB
    text = f"{free_bytes // MIB} MiB free in {folder}"
    if free_bytes >= needed:
        return Finding("ok", "disk", text)
    fix = "make room, or lower unsent_mib and history_mib in [telemetry] of the settings"
    wanted = f", and telemetry may take {needed // MIB}"
    return Finding(
        "broken" if free_bytes < LEAST_FREE_BYTES else "note", "disk", text + wanted, fix
    )


def judge_rights(
    *, is_admin: bool, closed_ports: Sequence[str], user: str, has_interfaces: bool
) -> list[Finding]:
    """What this user may do with adapters.

    Args:
        is_admin: May set up interfaces (root, or CAP_NET_ADMIN).
        closed_ports: Serial ports that are there and that we may not open.
        user: Our name.
        has_interfaces: There is an interface to set up.
    """
    findings = []
    if closed_ports:
        text = f"no right to open {', '.join(closed_ports)}, should it be a CAN adapter"
        fix = f"sudo usermod -aG dialout {user}   (then log in again)"
        findings.append(Finding("note", "rights", text, fix))
    if has_interfaces and not is_admin:
        text = "may read CAN buses, but not set them up"
        findings.append(Finding("ok", "rights", f"{text}: those commands need sudo"))
    return findings or [Finding("ok", "rights", "nothing is forbidden")]


def judge_gateway(presence: Presence, health: Health | None) -> list[Finding]:
    """What a gateway that runs already says of itself; nothing where it does not."""
    if not presence.online:
        return []
    asleep = ", asleep" if presence.asleep else ""
    text = f"{presence.vehicle_id} is online{asleep}, clock {presence.clock}"
    findings = [Finding("ok", "gateway", text)]
    for problem in health.problems if health else ():
        findings.append(Finding("broken", "gateway", problem, "see what it names"))
    return findings
