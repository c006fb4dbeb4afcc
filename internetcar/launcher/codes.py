"""`car codes`: what a car's warning light means, in words."""

import time
from typing import Annotated

import typer

from gateway.obd_leaves import CODE_LIST, CODE_TEXT, MIL, PENDING_LIST, PENDING_TEXT
from gateway.trouble_code_file import load_texts
from gateway.trouble_codes import CODE, explain
from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.link import Link
from internetcar.contract.message import InputError
from internetcar.contract.signals import Signal
from internetcar.launcher.options import BrokerOption, VehicleIdOption, broker_of
from internetcar.launcher.roll_call import CONNECT_S, PRESENCE_S, one_vehicle, roll_call
from internetcar.launcher.tables import print_table

app = typer.Typer()

LIGHT = {True: "the warning light is on", False: "the warning light is off"}


@app.command()
def codes(
    code: Annotated[
        list[str] | None, typer.Argument(metavar="[CODE]...", help="P0301 …; else the car's own.")
    ] = None,
    vehicle_id: VehicleIdOption = "",
    broker: BrokerOption = "",
) -> None:
    """Say what trouble codes mean: those that are named, or those a car has.

    A car's own come from a gateway that asks it over OBD-II. `stored` are behind the warning light,
    `pending` were seen once and may go again. Ends with 1 where no gateway has asked.
    """
    if code:
        _explain(code)
        return
    url = broker_of(broker)
    vehicle = one_vehicle(url, vehicle_id)
    heard = _listen(url, vehicle)
    if CODE_LIST not in heard:
        if not heard and vehicle not in (known := roll_call(url).presences):
            there = ", ".join(sorted(known)) or "none"
            raise InputError(f"no vehicle {vehicle!r} on this broker; there are: {there}")
        typer.echo(
            f"{vehicle}: no gateway has asked it for trouble codes; `car gateway --obd` does",
            err=True,
        )
        raise typer.Exit(1)
    typer.echo(f"{vehicle}: {_light(heard)}{_count(heard)}")
    print_table(
        ["", "", ""],
        [
            (text.partition(": ")[0], kind, text.partition(": ")[2])
            for kind, path in (("stored", CODE_TEXT), ("pending", PENDING_TEXT))
            for text in _texts(heard, path)
        ],
    )


def _explain(names: list[str]) -> None:
    texts = load_texts()
    wanted = [name.upper() for name in names]
    if strange := [name for name in wanted if not CODE.fullmatch(name)]:
        raise InputError(f"{strange[0]}: no trouble code; they are like P0301")
    print_table(["", ""], [(name, explain(name, texts)) for name in wanted])


def _listen(broker: BrokerUrl, vehicle_id: str) -> dict[str, Signal]:
    """What the broker remembers of the leaves.

    Raises:
        LinkError: No connection to the broker.
    """
    heard: dict[str, Signal] = {}
    link = Link(broker, f"codes-{time.monotonic_ns():x}")
    for path in (CODE_LIST, CODE_TEXT, MIL, PENDING_LIST, PENDING_TEXT):
        link.on(
            Signal,
            lambda signal: heard.update({signal.path: signal}),
            vehicle_id=vehicle_id,
            path=path,
        )
    link.start(wait_s=CONNECT_S)
    time.sleep(PRESENCE_S)
    link.stop()
    return heard


def _light(heard: dict[str, Signal]) -> str:
    value = heard[MIL].value if MIL in heard else None
    return LIGHT[value] if isinstance(value, bool) else "it does not say whether the light is on"


def _count(heard: dict[str, Signal]) -> str:
    stored, pending = len(_texts(heard, CODE_TEXT)), len(_texts(heard, PENDING_TEXT))
    at = heard[CODE_LIST].at
    return f"; {stored} codes stored, {pending} pending, as of {at:%Y-%m-%d %H:%M:%S} UTC"


def _texts(heard: dict[str, Signal], path: str) -> list[str]:
    value = heard[path].value if path in heard else None
    return [str(text) for text in value] if isinstance(value, list) else []
