"""Opening what may take seconds, or for ever, without holding up the buses that are there."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

from gateway.ports import Port


class Opener:
    """Opens each bus in a thread of its own, which never keeps the process from ending."""

    def __init__(self, open_bus: Callable[[int], Port]) -> None:
        self._open_bus = open_bus
        self._opening: dict[int, Future[Port]] = {}

    def port(self, bus: int, patience_s: float = 0.0) -> Port | None:
        """The opened bus, once; None: not yet. Raises what opening it raised."""
        if bus not in self._opening:
            self._opening[bus] = self._begin(bus)
        opening = self._opening[bus]
        wait([opening], patience_s)
        if not opening.done():
            return None
        del self._opening[bus]
        return opening.result()

    def close(self) -> None:
        """What is still being opened is given back as soon as it is open; nothing is waited for."""
        for opening in self._opening.values():
            opening.add_done_callback(_give_back)

    def _begin(self, bus: int) -> Future[Port]:
        opening: Future[Port] = Future()

        def run() -> None:
            try:
                port = self._open_bus(bus)
            except BaseException as error:  # whoever asks for the port gets it
                opening.set_exception(error)
            else:
                opening.set_result(port)

        threading.Thread(target=run, name=f"open-bus-{bus}", daemon=True).start()
        return opening


def _give_back(opening: Future[Port]) -> None:
    if opening.exception() is None:
        opening.result().close()
