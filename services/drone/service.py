"""The drone service: settings, store, autopilot and broker put together, until SIGTERM."""

import fcntl
import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.link import Link
from internetcar.contract.loop import end_process
from internetcar.contract.message import InputError
from internetcar.contract.retry import LinkOptions
from services.alive import Heartbeat
from services.drone.assembly import make_pilot
from services.drone.broker.leaves import wanted
from services.drone.broker.reception import Reception
from services.drone.broker.telling import Identity
from services.drone.conductor import Conductor
from services.drone.connection import open_autopilot
from services.drone.control_loop import ControlLoop
from services.drone.record.recording import Recording
from services.drone.settings import SERVICE, DroneSettings
from services.drone.store import DroneStore, PatientStore, open_store
from services.settings import broker_of, load_settings, replica_folder, state_folder, store_url

log = logging.getLogger(__name__)


def main(path: Path | None) -> None:
    """Run the drone service until SIGTERM; what is in the air then stays there.

    The autopilot's own failsafe brings it home, unless the service is started again before.
    No broker ends it, whether away, mute or refusing, and none is waited for.

    Raises:
        InputError: A setting, a zone, the store or a URL cannot be used; one line.
    """
    settings = load_settings(DroneSettings, path)
    threading.excepthook = _on_thread_failure
    with ExitStack() as stack:
        loop = _build(settings, stack)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.stop())
        log.info("%s of %s: %s", settings.drone_id, settings.vehicle_id, settings.url)
        loop.run()


def _build(settings: DroneSettings, stack: ExitStack) -> ControlLoop:
    broker = broker_of(settings)
    folder = state_folder(settings, SERVICE)
    stack.enter_context(_only_one(folder / f"{settings.vehicle_id}-{settings.drone_id}.lock"))
    identity = Identity(settings.vehicle_id, settings.drone_id, _now_ms(), _software(), uuid4().hex)
    database = open_store(store_url(settings, SERVICE))
    stack.callback(database.close)
    store = DroneStore(database, settings.vehicle_id, settings.drone_id)
    memory = store.memory()
    pilot = make_pilot(settings, memory)
    transport, autopilot, clock = open_autopilot(settings)
    stack.callback(transport.close)
    patient = PatientStore(store)
    recording = _recording(settings, memory)
    if recording is not None:
        stack.callback(recording.close)
    own = replica_folder(settings, SERVICE)
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    conductor = Conductor(
        identity, pilot, autopilot, Reception(patient, settings.rights), patient, recording
    )
    # Another service with the id of ours would throw us out, and we it, without an end.
    client = f"drone-{settings.vehicle_id}-{settings.drone_id}-{identity.instance}"
    loop = ControlLoop(
        make_link(broker, client), transport, conductor, clock,
        Heartbeat(own), recording, wanted(settings.rules),
    )  # fmt: skip
    stack.callback(loop.close)
    return loop


def make_link(broker: BrokerUrl, client: str) -> Link:
    """To a broker that may be away, or refuse us, while the drone flies."""
    return Link(broker, client, options=LinkOptions(outlives_refusal=True))


def _recording(settings: DroneSettings, memory: str | None) -> Recording | None:
    if settings.record is None:
        return None
    name = f"{settings.drone_id}-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z.jsonl"
    kept = settings.model_dump_json(exclude={"broker", "store", "signing_key"})
    return Recording(settings.record / name, kept, memory, settings.record_mb << 20)


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Hold a drone for this process: two that fly one drone would fight.

    Raises:
        InputError: Another process holds it, or the folder cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock: IO[str] = path.open("w")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(f"{path}: another process flies this drone") from error
        yield


def _software() -> str:
    try:
        return f"internetcar {version('internetcar')}"
    except PackageNotFoundError:
        return "internetcar"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _on_thread_failure(failure: Any) -> None:
    end_process(failure.exc_value)
