"""The models of the drivers who drove last, as long as they are what the store has."""

from collections import OrderedDict

from sqlalchemy import Connection

from services.recommendations import store
from services.recommendations.model import Model

_MOST = 8


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

    def drop(self, vehicle_id: str, driver: str) -> None:
        """Hold nothing of a driver any more."""
        self._by_driver.pop((vehicle_id, driver), None)
