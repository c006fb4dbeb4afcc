"""What is held in memory of the drivers who drove last, as long as it is what the store has."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from services.recommendations import evidence, store
from services.recommendations.advising import Adviser, Evidence
from services.recommendations.model import Model

_MOST = 8
_MOST_LEARNED = 48


class Models:
    """Holds some models; who changes one sets its version to nothing before, and touches it after.

    So what a transaction that failed has left of it is never used.
    """

    def __init__(self) -> None:
        self._by_driver: OrderedDict[tuple[str, str], Model] = OrderedDict()

    def of(self, connection: Connection, vehicle_id: str, driver: str) -> Model:
        """The model of a driver, as the transaction sees it; empty where nothing is known."""
        key = vehicle_id, driver
        version = store.version_of(connection, vehicle_id, driver)
        model = self._by_driver.pop(key, None)
        if version is None:
            return Model()
        if model is None or model.version != version:
            model = store.load(connection, vehicle_id, driver)
        self._by_driver[key] = model
        while len(self._by_driver) > _MOST:
            self._by_driver.popitem(last=False)
        return model

    def renew(self, connection: Connection, vehicle_id: str, driver: str, cause: str) -> None:
        """Something beside the visits has changed: what was learned of those is still right."""
        before, after = store.renew(connection, vehicle_id, driver, cause)
        model = self._by_driver.get((vehicle_id, driver))
        if model is not None and model.version == before:
            model.version = after

    def drop(self, vehicle_id: str, driver: str) -> None:
        """Hold nothing of a driver any more."""
        self._by_driver.pop((vehicle_id, driver), None)


class Learned:
    """Holds what the kinds of advice have learned, each by the version of what it derives from."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str, str | None], tuple[str, Any]] = OrderedDict()

    def of(self, connection: Connection, adviser: Adviser, vehicle_id: str, name: str) -> Any:
        """What a kind has learned of a driver, or of the car where its evidence is the car's."""
        whose = None if adviser.of_car else name
        version = store.version_of_all(connection, vehicle_id, whose)
        key = vehicle_id, adviser.kind, whose

        def learn() -> Any:
            return adviser.learn(evidence.read(connection, vehicle_id, adviser.kind, whose))

        return self._hold(key, version, learn)

    def of_each(
        self, connection: Connection, adviser: Adviser, vehicle_id: str
    ) -> Mapping[str, Sequence[Evidence]]:
        """The newest evidence of a kind of each driver of a vehicle, by name."""
        version = store.version_of_all(connection, vehicle_id, None)
        key = vehicle_id, f"{adviser.kind} of each", None

        def read() -> dict[str, list[Evidence]]:
            kind, most = adviser.kind, evidence.MOST_OF_EACH
            return {
                name: evidence.read(connection, vehicle_id, kind, name, most)
                for name in evidence.drivers(connection, vehicle_id, kind)
            }

        found: Mapping[str, Sequence[Evidence]] = self._hold(key, version, read)
        return found

    def drop(self, vehicle_id: str) -> None:
        """Hold nothing of a vehicle any more."""
        for key in [each for each in self._held if each[0] == vehicle_id]:
            del self._held[key]

    def _hold(self, key: Any, version: str, make: Any) -> Any:
        held = self._held.pop(key, None)
        value = held[1] if held is not None and held[0] == version else make()
        self._held[key] = version, value
        while len(self._held) > _MOST_LEARNED:
            self._held.popitem(last=False)
        return value
