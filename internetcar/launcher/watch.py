"""`car watch`: a vehicle's signals as they arrive."""

import signal
import sys
import threading
from typing import Annotated

import typer

from internetcar.launcher.options import BrokerOption, broker_of
from internetcar.launcher.roll_call import one_vehicle
from internetcar.launcher.show import Show

app = typer.Typer()

TURN_S = 0.1
PATIENCE_S = 2.0
"""Without a word of the vehicle for so long we say so."""


@app.command()
def watch(
    vehicle_id: Annotated[
        str, typer.Option(help="Which vehicle; needed where the broker knows several.")
    ] = "",
    broker: BrokerOption = "",
    plain: Annotated[bool, typer.Option("--plain", help="Lines instead of the live view.")] = False,
    seconds: Annotated[
        float | None, typer.Option(help="End by itself after so long.", min=0)
    ] = None,
) -> None:
    """Show a vehicle's signals as they arrive: value, unit, age, quality."""
    url = broker_of(broker)
    vehicle_id = one_vehicle(url, vehicle_id)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    with Show(url, vehicle_id, is_plain=plain or not sys.stdout.isatty()) as show:
        left_s = seconds
        patience_s: float | None = PATIENCE_S
        while not stop.wait(TURN_S):
            show.refresh()
            if patience_s is not None and (patience_s := patience_s - TURN_S) <= 0:
                patience_s = None
                if show.is_silent:
                    show.notify(
                        f"nothing is heard of {vehicle_id}; `car vehicles` lists those of {url}"
                    )
            if left_s is not None and (left_s := left_s - TURN_S) <= 0:
                return
