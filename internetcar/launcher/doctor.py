"""`car doctor`: one line for everything a gateway needs, and one fix where it is missing."""

import getpass
import logging
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.bus_spec import ELM327, BusSpec, parse_bus
from gateway.clock import read_clock
from gateway.coverage import coverage
from gateway.databases import Database
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
from gateway.frames import Buses
from gateway.interfaces import CanInterface, find_interfaces, has_socketcan
from gateway.settings import GatewaySettings, load_settings, make_settings
from gateway.setup import Setup
from gateway.traffic import Traffic
from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.link import Link
from internetcar.contract.message import InputError
from internetcar.contract.presence import Health, Presence
from internetcar.contract.proof import is_heard_back
from internetcar.contract.retry import BrokerRefusedError, LinkError
from internetcar.contract.settings import default_state_folder
from internetcar.launcher.broker import BrokerError, find_broker
from internetcar.launcher.options import StateOption
from internetcar.launcher.tables import percent, printable

app = typer.Typer()

CONNECT_S = 5.0
PROOF_S = 3.0
HEAR_S = 1.5
TURN_S = 0.05
CAP_NET_ADMIN = 12  # linux/capability.h
COLOURS = {"ok": "green", "note": "yellow", "broken": "red"}


@app.command()
def doctor(
    bus: Annotated[
        list[str],
        typer.Option(
            help="can0, slcan:/dev/ttyACM0 …; else those of --config, else all that are up."
        ),
    ] = [],  # noqa: B006 # typer reads it, nobody changes it
    config: Annotated[
        Path | None, typer.Option(help="The gateway's settings; also its databases are tried.")
    ] = None,
    broker: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="A broker to try; else the settings', INTERNETCAR_BROKER, or `car up`.",
        ),
    ] = "",
    state: StateOption = "",
    seconds: Annotated[
        float, typer.Option(help="How long to listen to the buses.", min=0.1, max=600)
    ] = 1.0,
) -> None:
    """Look at everything the gateway needs, and say what mends what is missing.

    Interfaces, bit rate, listen-only, frames, databases, broker, rights, clock and disk. It only
    listens. Ends with 0 when nothing is broken, else with 1.
    """
    logging.getLogger().setLevel(logging.CRITICAL)  # what the lines say, they say once
    findings: list[Finding] = []
    settings, databases = _settings(config, findings)
    specs = [parse_bus(text) for text in bus] or (_specs(settings) if config else [])
    findings += _buses(specs, databases, seconds)
    findings += _broker(broker or settings.broker, settings.vehicle_id if config else None)
    findings += _machine(
        Path(state or settings.state or default_state_folder(os.environ)), settings
    )
    for finding in findings:
        _print(finding)
    broken = sum(finding.state == "broken" for finding in findings)
    typer.echo(f"\n{broken} broken" if broken else "\nnothing is broken")
    if broken:
        raise typer.Exit(1)


def _print(finding: Finding) -> None:
    mark = typer.style(f"{finding.state:<6}", fg=COLOURS[finding.state])
    typer.echo(f"{mark}  {finding.subject:<18}  {printable(finding.text)}")
    if finding.fix:
        typer.echo(f"{'':8}{'':20}fix: {finding.fix}")


def _settings(
    config: Path | None, findings: list[Finding]
) -> tuple[GatewaySettings, dict[str, list[Database]]]:
    """The settings, and the databases of each bus by its name; what is wrong becomes a finding."""
    if config is None:
        return make_settings(), {}
    settings = make_settings()
    try:
        settings = load_settings(config)
        setup = Setup(settings)
        leaves = len(setup.assemble().paths)
    except InputError as error:
        text = " ".join(str(error).split())
        findings.append(Finding("broken", "settings", text, f"mend {config}"))
        return settings, {}
    findings.append(Finding("ok", "settings", f"{config}: {leaves} leaves"))
    return settings, dict(zip(setup.bus_names, setup.databases, strict=True))


def _specs(settings: GatewaySettings) -> list[BusSpec]:
    return [
        BusSpec(bus.name, bus.interface, bus.channel, bus.bitrate, fd=bus.fd, transmit=bus.transmit)
        for bus in settings.buses
    ]


def _buses(
    named: Sequence[BusSpec], databases: dict[str, list[Database]], seconds: float
) -> list[Finding]:
    interfaces = find_interfaces()
    findings = judge_machine(interfaces, has_socketcan=has_socketcan())
    by_channel = {spec.channel: spec for spec in named if spec.interface == "socketcan"}
    for interface in interfaces:
        spec = by_channel.get(interface.name)
        findings += judge_interface(
            interface,
            is_used=spec is not None,
            transmits=spec is not None and spec.transmit,
        )
    findings += _listen(list(named) or _up(interfaces), databases, seconds, is_used=bool(named))
    return findings


def _up(interfaces: Sequence[CanInterface]) -> list[BusSpec]:
    return [parse_bus(interface.name) for interface in interfaces if interface.is_up]


def _listen(
    specs: Sequence[BusSpec],
    databases: dict[str, list[Database]],
    seconds: float,
    *,
    is_used: bool,
) -> list[Finding]:
    if not specs:
        return []
    traffic = [Traffic() for _ in specs]
    # Nothing is ever sent here: an ELM327 is only opened as one that could, for most cannot listen.
    buses = Buses([replace(spec, transmit=spec.interface == ELM327) for spec in specs])
    end_s = time.monotonic() + seconds
    try:
        while time.monotonic() < end_s:
            buses.wait(TURN_S)
            buses.drain(lambda bus, can_id, payload, _: traffic[bus].add(can_id, payload))
        counters = [buses.counters(bus) for bus in range(len(specs))]
    finally:
        buses.close()
    findings: list[Finding] = []
    for spec, heard, counted in zip(specs, traffic, counters, strict=True):
        findings.append(judge_frames(spec.name, heard, counted, seconds, is_used=is_used))
        if explaining := databases.get(spec.name):
            found = coverage(heard, explaining)
            judged = judge_coverage(spec.name, found, percent(found.share))
            findings += [judged] if judged else []
    return findings


def _broker(option: str, vehicle_id: str | None) -> list[Finding]:
    try:
        url = find_broker(option or None, os.environ)
    except BrokerError:
        fix = "`car up` starts one; or --broker mqtt://HOST:1883, or set INTERNETCAR_BROKER"
        return [Finding("note", "broker", "none is named, and no `car up` runs", fix)]
    except InputError as error:
        return [Finding("broken", "broker", str(error), "write it as mqtt://USER:PASSWORD@HOST")]
    try:
        return _ask_broker(url, vehicle_id)
    except BrokerRefusedError as error:
        return [Finding("broken", "broker", str(error), "check user name and password in its URL")]
    except LinkError as error:
        fix = "start it (sudo systemctl start mosquitto), and check host, port and firewall"
        return [Finding("broken", "broker", str(error), fix)]


def _ask_broker(url: BrokerUrl, vehicle_id: str | None) -> list[Finding]:
    """Whether it lets us in, how the gateways there fare, or whether one could speak there."""
    presences: dict[str, Presence] = {}
    healths: dict[str, Health] = {}
    of_vehicle = {"vehicle_id": vehicle_id} if vehicle_id else {}
    link = Link(url, f"doctor-{time.monotonic_ns():x}")
    link.on(Presence, lambda heard: presences.update({heard.vehicle_id: heard}), **of_vehicle)
    link.on(Health, lambda heard: healths.update({heard.vehicle_id: heard}), **of_vehicle)
    link.start(wait_s=CONNECT_S)
    try:
        findings = [Finding("ok", "broker", f"{url} is reachable")]
        time.sleep(HEAR_S)
        running = [
            finding
            for name, presence in sorted(presences.items())
            for finding in judge_gateway(presence, healths.get(name))
        ]
        return findings + (running or [_may_publish(link, vehicle_id or "doctor")])
    finally:
        link.stop()


def _may_publish(link: Link, vehicle_id: str) -> Finding:
    """Whether our own health comes back; said only where no gateway speaks for the vehicle."""
    proof = Health(vehicle_id=vehicle_id, at=datetime.now(UTC), buses={}, outbox_batches=0)
    if is_heard_back(link, proof, PROOF_S):
        return Finding("ok", "broker rights", f"may publish v1/vehicle/{vehicle_id}/…")
    user = link.broker.username or "a client without a name"
    fix = f"let {user} read and write v1/vehicle/{vehicle_id}/# in the broker's access rules"
    return Finding("broken", "broker rights", f"what {user} publishes is not delivered", fix)


def _machine(folder: Path, settings: GatewaySettings) -> list[Finding]:
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    ports = [port for kind in ("ttyACM", "ttyUSB") for port in Path("/dev").glob(f"{kind}*")]
    rights = judge_rights(
        is_admin=_is_admin(),
        closed_ports=[str(port) for port in ports if not os.access(port, os.R_OK | os.W_OK)],
        user=getpass.getuser(),
        has_interfaces=bool(find_interfaces()),
    )
    disk = judge_disk(
        str(folder),
        shutil.disk_usage(existing).free,
        settings.telemetry,
        is_writable=os.access(existing, os.W_OK | os.X_OK),
    )
    return [*rights, judge_clock(read_clock()), disk]


def _is_admin() -> bool:
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return os.geteuid() == 0
    line = next((line for line in status.splitlines() if line.startswith("CapEff:")), "CapEff: 0")
    return bool(int(line.split()[1], 16) >> CAP_NET_ADMIN & 1)
