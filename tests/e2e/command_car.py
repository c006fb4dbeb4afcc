"""A car that can be set: its cabin and its signal light, an ECU that obeys, and its gateway."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import can

from internetcar.contract.broker_url import BrokerUrl
from internetcar.loopback import LoopbackBus
from tests.e2e.observer import Observer
from tests.e2e.stage import Actor, Stage

VEHICLE = "settable"
TOPIC = f"v1/vehicle/{VEHICLE}"
CHANNEL = "settable"
REQUESTER = "car"
"""The user of a broker that a test starts."""
TEMPERATURE, FAN, LIGHT, HORN = (
    "Vehicle.Temperature",
    "Vehicle.Fan",
    "Vehicle.Light",
    "Vehicle.Horn",
)
STATUS_ID, SPEED_ID, COMMAND_ID, LIGHT_ID, HORN_ID = 0x300, 0x310, 0x301, 0x302, 0x303
CYCLE_S = 0.02
HOLD_CYCLE_MS = 20

DBC = f"""\
VERSION ""
NS_ :
BS_:
BU_: Ecu Gw
BO_ {STATUS_ID} Cabin: 4 Ecu
 SG_ Temperature : 0|8@1+ (0.5,0) [10|30] "degC" Gw
 SG_ Fan : 8|8@1+ (1,0) [0|100] "%" Gw
 SG_ Light : 16|1@1+ (1,0) [0|1] "" Gw
 SG_ Horn : 17|1@1+ (1,0) [0|1] "" Gw
BO_ {SPEED_ID} Motion: 2 Ecu
 SG_ Speed : 0|16@1+ (0.1,0) [0|300] "km/h" Gw
BO_ {COMMAND_ID} Cabin_Command: 4 Gw
 SG_ Temperature_Request : 0|8@1+ (0.5,0) [0|127.5] "degC" Ecu
 SG_ Fan_Request : 8|8@1+ (1,0) [0|255] "%" Ecu
 SG_ Counter : 16|4@1+ (1,0) [0|15] "" Ecu
 SG_ Checksum : 24|8@1+ (1,0) [0|255] "" Ecu
BO_ {LIGHT_ID} Light_Command: 1 Gw
 SG_ Light_Request : 0|2@1+ (1,0) [0|3] "" Ecu
BO_ {HORN_ID} Horn_Command: 1 Gw
 SG_ Horn_Request : 0|2@1+ (1,0) [0|3] "" Ecu
BA_DEF_ SG_ "GenSigStartValue" INT 0 100000;
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 10000;
BA_DEF_DEF_ "GenSigStartValue" 0;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_ "GenMsgCycleTime" BO_ {STATUS_ID} {round(CYCLE_S * 1000)};
BA_ "GenMsgCycleTime" BO_ {SPEED_ID} {round(CYCLE_S * 1000)};
BA_ "GenMsgCycleTime" BO_ {LIGHT_ID} {HOLD_CYCLE_MS};
BA_ "GenSigStartValue" SG_ {COMMAND_ID} Temperature_Request 255;
BA_ "GenSigStartValue" SG_ {COMMAND_ID} Fan_Request 255;
VAL_ {COMMAND_ID} Temperature_Request 255 "NO_REQUEST" ;
VAL_ {COMMAND_ID} Fan_Request 255 "NO_REQUEST" ;
"""
_SWITCH = [{"from": False, "to": 1}, {"from": True, "to": 2}]
_SEAL = {"counter": "Counter", "checksum": {"signal": "Checksum", "rule": "crc8_sae_j1850"}}


def _leaf(signal: str, datatype: str, **command: Any) -> dict[str, Any]:
    to = {"mapping": _SWITCH} if datatype == "boolean" else None
    leaf: dict[str, Any] = {
        "type": "actuator",
        "datatype": datatype,
        "dbc2vss": {"signal": signal, "interval_ms": 20},
        "vss2dbc": {"signal": f"{signal}_Request", "allow": True, "timeout_ms": 1000, **command},
    }
    if to:
        leaf["vss2dbc"]["transform"] = to
    return leaf


def mapping(**changes: Any) -> str:
    """The mapping; `changes` are further keys of the temperature's command."""
    temperature = {"rate_limit_hz": 100, **_SEAL, **changes}
    return json.dumps(
        {
            TEMPERATURE: _leaf("Temperature", "float", **temperature),
            FAN: _leaf("Fan", "uint8", rate_limit_hz=100, timeout_ms=60_000),
            LIGHT: _leaf("Light", "boolean", hold_s=600, only_when="Vehicle.Speed < 5"),
            HORN: _leaf("Horn", "boolean", momentary=True),
            "Vehicle.Speed": {
                "type": "sensor", "datatype": "float", "dbc2vss": {"signal": "Speed"},
            },
        }
    )  # fmt: skip


class Ecu:
    """Says its state every 20 ms, obeys command frames, and keeps all that it hears."""

    def __init__(self) -> None:
        self.temperature_c, self.fan_pct, self.light, self.horn, self.speed_kmh = (
            20.0,
            30,
            0,
            0,
            0.0,
        )
        self.is_silent = False
        """Says nothing of the cabin; its speed goes on."""
        self.is_deaf = False
        self.heard: list[tuple[int, bytes]] = []
        self._bus = LoopbackBus(CHANNEL)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def heard_of(self, can_id: int) -> list[bytes]:
        return [payload for heard_id, payload in list(self.heard) if heard_id == can_id]

    def send(self, can_id: int, payload: bytes) -> None:
        self._bus.send(can.Message(arbitration_id=can_id, data=payload, is_extended_id=False))

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._bus.shutdown()

    def _run(self) -> None:
        next_s = time.monotonic()
        while not self._stop.is_set():
            message = self._bus.recv(max(0.0, next_s - time.monotonic()))
            if message is not None:
                self.heard.append((message.arbitration_id, bytes(message.data)))
                if not self.is_deaf:
                    self._obey(message.arbitration_id, bytes(message.data))
            if time.monotonic() >= next_s:
                next_s += CYCLE_S
                if not self.is_silent:
                    flags = self.light | self.horn << 1
                    state = bytes([round(self.temperature_c * 2), self.fan_pct, flags, 0])
                    self.send(STATUS_ID, state)
                self.send(SPEED_ID, round(self.speed_kmh * 10).to_bytes(2, "little"))

    def _obey(self, can_id: int, payload: bytes) -> None:
        if can_id == COMMAND_ID:
            if payload[0] != 255:
                self.temperature_c = payload[0] / 2
            if payload[1] != 255:
                self.fan_pct = payload[1]
        elif can_id in (LIGHT_ID, HORN_ID) and payload[0]:
            setattr(self, "light" if can_id == LIGHT_ID else "horn", payload[0] - 1)


@contextmanager
def ecu() -> Iterator[Ecu]:
    """An ECU on the bus from here on."""
    started = Ecu()
    try:
        yield started
    finally:
        started.close()


def write_config(
    folder: Path,
    *,
    allow: Mapping[str, list[str]] | None = None,
    transmit: bool = True,
    trust_clock: bool = True,
    rules: str | None = None,
    requester_rate_hz: float = 10,
) -> Path:
    """The settings of this car's gateway; by default the broker's user may set everything."""
    dbc, file, config = (folder / name for name in ("car.dbc", "mapping.json", "internetcar.toml"))
    dbc.write_text(DBC)
    file.write_text(rules or mapping())
    allowed = {REQUESTER: ["*"]} if allow is None else allow
    lines = [
        f'vehicle_id = "{VEHICLE}"',
        f"state = {json.dumps(str(folder / 'state'))}",
        f"mapping = {json.dumps(str(file))}",
        "[[buses]]",
        'name = "can0"',
        'interface = "loopback"',
        f'channel = "{CHANNEL}"',
        f"transmit = {str(transmit).lower()}",
        f"dbc = [{json.dumps(str(dbc))}]",
        "[commands]",
        f"trust_clock = {str(trust_clock).lower()}",
        f"requester_rate_hz = {requester_rate_hz}",
        "[commands.allow]",
        *(f"{json.dumps(name)} = {json.dumps(globs)}" for name, globs in allowed.items()),
    ]
    config.write_text("\n".join(lines) + "\n")
    return config


def gateway(stage: Stage, url: BrokerUrl, **settings: Any) -> Actor:
    """A gateway of this car; `settings` as `write_config` has them."""
    config = write_config(stage.folder, **settings)
    return stage.car("gateway", "--config", str(config), "--broker", url.secret)


class Desk(Observer):
    """Gives commands as any MQTT client would, and hears what is said of them."""

    def command(
        self, path: str, body: object, *, requester: str = REQUESTER, retain: bool = False
    ) -> None:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.publish(f"{TOPIC}/command/{requester}/{path}", payload, retain=retain)

    def ask(self, identifier: str, path: str, value: object, **more: Any) -> None:
        self.command(path, {"id": identifier, "value": value, **more})

    def states(self, identifier: str) -> list[str]:
        """What was said of a command, as `state` or `state(reason)`."""
        return [
            said["state"] + (f"({said['reason']})" if "reason" in said else "")
            for heard in self.of("command-status")
            if (said := heard.body).get("id") == identifier
        ]

    def until_final(self, identifier: str) -> list[str]:
        """Wait for the end of a command; all its states."""
        try:
            self.until(
                lambda _: any(
                    heard.body.get("id") == identifier and heard.body["final"]
                    for heard in self.of("command-status")
                )
            )
        except AssertionError:
            last = {path: said.get("value") for path, said in self.signals().items()}
            raise AssertionError(
                f"{identifier} did not end: {self.states(identifier)}; {last}, "
                f"{len(self.heard)} messages heard, presence {self.last('presence')}"
            ) from None
        return self.states(identifier)

    def until_heard(self, path: str = TEMPERATURE) -> None:
        """Wait until the gateway hears the car."""
        self.until(lambda _: path in self.signals())
