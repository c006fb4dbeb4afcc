"""Imports point one way, and each outside thing is touched in one place."""

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("internetcar", "gateway", "services", "simulator", "dbc")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))

MAY_IMPORT = {
    "internetcar/contract": {"internetcar.contract"},
    "internetcar/loopback.py": {"internetcar.channel", "internetcar.socketcan"},
    "internetcar/channel.py": {"internetcar.socketcan"},
    "internetcar/launcher": {
        "internetcar", "gateway", "services", "simulator", "dbc",
    },
    "gateway": {
        "internetcar.contract", "internetcar.channel", "internetcar.socketcan", "gateway", "dbc",
    },
    "services": {"internetcar.contract", "services"},
    "simulator": {"internetcar.contract", "internetcar.loopback", "simulator", "dbc"},
    "dbc": {"dbc"},
}  # fmt: skip
"""Which of our own modules the files below a path may import."""

PURE = [
    *(f"gateway/{name}.py" for name in (
        "actuation", "actuators", "assembly", "audit_rows", "checks", "codegen", "condition",
        "controls", "coverage", "decode", "discovery", "doctor", "elm327_talk", "encoding",
        "entities", "execution", "explain", "expression", "feedback", "freshness", "identify",
        "isotp", "isotp_send", "j1939", "j1939_bus", "j1939_leaves", "layout", "ledger", "mapping",
        "mapping_rules", "message_state", "obd", "obd_bus", "obd_leaves", "obd_pids", "obd_plan",
        "obd_poller", "obd_rest", "pacing", "pipeline", "position", "protection", "recorded_time",
        "repair", "requests", "shared_frames", "targets", "telemetry", "throttle", "timeline",
        "told", "tokens", "traffic", "translation", "trouble_codes", "units", "vss", "world",
    )),
    *(f"internetcar/contract/{name}.py" for name in (
        "commands", "home_assistant", "incoming", "known", "message", "reader", "wire",
    )),
    *(f"internetcar/launcher/{name}.py" for name in ("access", "register")),
    *(f"services/drone/flight/{name}.py" for name in (
        "answers", "cockpit", "deriving", "diverting", "docked", "enroute", "holding", "home",
        "landing", "launch", "memory", "pilot", "ports", "requests", "rest", "returning",
        "safety", "settings", "standing", "states", "steering", "watching",
    )),
    *(f"services/drone/rules/{name}.py" for name in (
        "book", "conditions", "defaults", "jam", "settings", "signals",
    )),
    *(f"services/drone/tasks/{name}.py" for name in (
        "anchor", "beacon", "car_motion", "film", "follow", "hand_over", "hover", "inspection",
        "intercept", "memory", "orbit", "registry", "scout", "settings", "task", "turning", "way",
    )),
    *(f"services/payments/{name}.py" for name in (
        "agreements", "case", "currencies", "domain", "export", "holds", "instruction", "ledger",
        "limits", "movements", "papers", "providers", "triggers",
    )),
    *(f"services/drone/{name}.py" for name in (
        "autopilot", "events", "geodesy", "leaps", "moment", "own_clock", "view", "words",
    )),
    *(f"services/drone/broker/{name}.py" for name in (
        "health", "leaves", "request_queue", "requests", "telling", "twins",
    )),
    "services/drone/record/journal.py",
    *(f"services/drone/mavlink/{name}.py" for name in (
        "codec", "commands", "copter", "intents", "losses", "mission", "orders", "parameters",
        "peer", "preparation", "profile", "signing", "streams", "telemetry", "texts",
        "vehicle_clock",
    )),
    "services/repeating.py",
    *(f"services/recommendations/climate/{name}.py" for name in (
        "adviser", "answers", "leaves", "past", "vote", "words",
    )),
    *(f"services/recommendations/destination/{name}.py" for name in (
        "calibration", "correction", "ground", "habits", "mixture", "moment", "places",
        "predictor", "reasons", "visits", "votes", "way",
    )),
    *(f"services/recommendations/eco/{name}.py" for name in (
        "adviser", "drive", "evaluation", "hints", "model", "parts",
    )),
    *(f"services/recommendations/media/{name}.py" for name in (
        "adviser", "choosing", "items", "kept", "library", "reasons",
    )),
    *(f"services/recommendations/seat/{name}.py" for name in (
        "adviser", "guessing", "habit", "reasons", "settled",
    )),
    *(f"services/recommendations/evaluation/{name}.py" for name in (
        "online", "scores", "visits_csv",
    )),
    *(f"services/tolls/{name}.py" for name in (
        "facts", "objects",
    )),
    *(f"services/tolls/detection/{name}.py" for name in (
        "alternatives", "bends", "courses", "crossing", "decision", "detector", "evidence",
        "likelihood", "network", "paths", "plane", "position", "provable", "rows", "samples",
        "shapes", "state", "window",
    )),
    *(f"services/tolls/passages/{name}.py" for name in (
        "charging", "detectors", "entry", "explain", "invoice", "invoice_cells", "matching",
        "reckoning", "reconcile", "records", "watching",
    )),
    *(f"services/recommendations/{name}.py" for name in (
        "advisers", "advising", "answers", "journey", "model", "orders", "rejections", "replies",
        "settable", "speaking",
    )),
    *(f"services/trips/{name}.py" for name in (
        "behaviour", "complaints", "domain", "driving", "energy", "formats", "geometry", "gpx",
        "importing", "leaves", "observing", "reading", "state", "telling", "travel", "ved",
    )),
    *(f"services/tolls/tariff/{name}.py" for name in (
        "bands", "calendar", "context", "fees", "layout", "lint", "lint_tariff", "prices",
        "rounding", "sharing", "tariff", "vehicle",
    )),
    *(f"services/drone/airspace/{name}.py" for name in (
        "airspace", "fence", "local", "obstacles", "shapes", "way", "windows", "zone", "zones",
    )),
    *(f"services/drone/interlocks/{name}.py" for name in (
        "car", "check", "daylight", "drone", "energy", "limits", "reach", "situation", "steady",
        "weather",
    )),
    *(f"simulator/{name}.py" for name in (
        "billing", "cabin", "driver", "ecu", "elm327", "gnss", "route", "standstill", "vehicle",
    )),
    *(f"simulator/copter/{name}.py" for name in (
        "battery", "body", "commands", "copter", "failsafes", "faults", "fencing", "guided",
        "items", "lists", "mission", "modes", "motors", "parameters", "plane", "protocol",
        "returning", "state", "targets", "telemetry", "wind",
    )),
]  # fmt: skip
PURE_LIBRARIES = {
    "cantools", "cryptography", "numpy", "orjson", "pydantic", "pymavlink", "shapely", "yaml",
}  # fmt: skip
IMPURE_STANDARD = {
    "asyncio", "multiprocessing", "os", "pathlib", "random", "select", "shutil", "signal",
    "socket", "sqlite3", "subprocess", "tempfile", "threading", "time", "urllib",
}  # fmt: skip


@cache
def imports(path: Path) -> tuple[str, ...]:
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found += (f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(found)


def within(module: str, rooms: set[str]) -> bool:
    return any(module == room or module.startswith(room + ".") for room in rooms)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    relative = path.relative_to(ROOT).as_posix()
    allowed = next((may for room, may in MAY_IMPORT.items() if relative.startswith(room)), set())
    ours = {module for module in imports(path) if within(module, set(ROOMS))}
    assert all(within(module, allowed) for module in ours), ours


def test_a_service_imports_no_other_service() -> None:
    folders = {f"services.{path.parent.name}" for path in (ROOT / "services").glob("*/__init__.py")}
    for path in (ROOT / "services").rglob("*.py"):
        own = path.relative_to(ROOT / "services").parts[0]
        others = folders - {f"services.{own}"}
        found = [module for module in imports(path) if within(module, others)]
        assert not found, f"{path}: {found}"


def test_only_what_keeps_state_touches_the_database() -> None:
    mine = {f"services/{name}.py" for name in (
        "database", "database_errors", "engine", "outgoing", "quarantine", "runner", "tables",
        "telemetry_log",
    )}  # fmt: skip
    for path in FILES:
        relative = path.relative_to(ROOT)
        if any(within(module, {"sqlalchemy"}) for module in imports(path)):
            is_store = relative.parts[0] == "services" and "domain" not in relative.stem
            assert str(relative) in mine or (is_store and len(relative.parts) == 3), relative


@pytest.mark.parametrize("relative", PURE)
def test_a_pure_module_imports_nothing_that_does_io(relative: str) -> None:
    allowed = PURE_LIBRARIES | set(ROOMS) | (sys.stdlib_module_names - IMPURE_STANDARD)
    found = {module.split(".")[0] for module in imports(ROOT / relative)}
    assert found <= allowed, found - allowed


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_stays_under_three_hundred_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
