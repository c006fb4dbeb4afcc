"""The detectors of all contexts, with states that are text between two batches (pure)."""

from collections.abc import Sequence

from internetcar.contract.telemetry import Telemetry
from services.tolls.detection.detector import Detector, State, dump, load
from services.tolls.detection.samples import Reading, read
from services.tolls.facts import Finding, Sample
from services.tolls.passages.watching import UnreadableError
from services.tolls.tariff.context import Context


class KeptDetector:
    """A detector whose state is text; see `watching.Detector`."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def advance(self, state: str | None, samples: Sequence[Sample]) -> tuple[str, list[Finding]]:
        """Go on with a drive (`None`: begin one): its new state, and what was found.

        Raises:
            UnreadableError: The state is of another format.
        """
        going = self._detector.begin() if state is None else _loaded(state)
        found: list[Finding] = []
        for sample in samples:
            found += self._detector.advance(going, sample)
        return dump(going).decode(), found

    def finish(self, state: str) -> list[Finding]:
        """The drive has ended: what can be said of what was open.

        Raises:
            UnreadableError: The state is of another format.
        """
        return self._detector.finish(_loaded(state))


def _loaded(state: str) -> State:
    try:
        return load(state.encode())
    except ValueError as error:
        raise UnreadableError(str(error)) from error


def samples_of(reading: str, batch: Telemetry) -> tuple[str, list[Sample]]:
    """A batch as samples; see `Watcher.samples_of`. What cannot be read of the last is nothing."""
    going = Reading.load(reading.encode()) if reading else Reading()
    samples = read(going, batch)
    return going.dump().decode(), samples


class Detectors:
    """Makes the detector of a context when it is first needed, and remembers it."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], KeptDetector] = {}

    def of(self, context: Context) -> KeptDetector:
        """The detector of a version of a context."""
        key = (context.id, context.version)
        if key not in self._made:
            self._made[key] = KeptDetector(Detector(context.gates, context.roads))
        return self._made[key]
