"""`car recommend`: what is suggested, answers to it, a pause, and what is kept: out, or erased."""

import json
import sys
import time
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import uuid4

import typer

from internetcar.contract.message import InputError, instant
from internetcar.contract.recommendations import (
    Automatic,
    RecommendationControl,
    RecommendationFeedback,
)
from internetcar.launcher.options import (
    BrokerOption,
    VehicleIdOption,
    instant_ns,
    vehicle_id_of,
)
from internetcar.launcher.recommend_talk import ask
from internetcar.launcher.recommend_words import COLUMNS, chance, offer_words, rows
from internetcar.launcher.service_settings import opened_store
from internetcar.launcher.tables import print_table, printable
from services.database import Database
from services.recommendations import inquiry
from services.recommendations.settings import SERVICE, RecommendationSettings
from services.recommendations.tables import VERSION

app = typer.Typer(
    help="Where a trip may lead, by the driver's own past ones: suggestions, answers, forgetting.",
    no_args_is_help=True,
)

StoreOption = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="URL",
        help="The recommendation service's store, a file or postgresql://…; else"
        " INTERNETCAR_RECOMMENDATIONS_STORE, else what the settings say, else the `car up` that"
        " runs here, else the file in the default state folder.",
    ),
]
SettingsOption = Annotated[
    str,
    typer.Option("--settings", metavar="FILE", help="The settings of the recommendation service."),
]
DriverOption = Annotated[str, typer.Option("--driver", help="Whose; `car recommend list` says.")]
RequesterOption = Annotated[
    str, typer.Option("--requester", metavar="NAME", help="Who asks, on a broker without users.")
]
OfferArgument = Annotated[
    str, typer.Argument(metavar="OFFER", help="Its id; `car recommend list` has it.")
]


@app.command("list")
def list_(
    vehicle_id: VehicleIdOption = "", store: StoreOption = "", settings: SettingsOption = ""
) -> None:
    """Print where each trip that is on may lead, the open offers, and of whom anything is kept."""
    vehicle_id = vehicle_id and vehicle_id_of(vehicle_id)
    with _opened(store, settings) as database, database.read() as connection:
        standings = inquiry.standings(connection, vehicle_id)
        offers = inquiry.open_offers(connection, vehicle_id)
        drivers = inquiry.drivers(connection, vehicle_id)
    for each in standings:
        typer.echo(printable(f"{each.vehicle_id}: {_state(each)}"))
        if each.said is not None:
            print_table(COLUMNS, rows(each.said), right="probability")
    if offers:
        print_table(
            ("offer", "vehicle", "driver", "kind", "what", "probability"),
            [(each.offer_id, each.vehicle_id, each.driver, each.kind, _what(each),
              chance(each.share))
             for each in offers],
            right="probability",
        )  # fmt: skip
    print_table(
        ("vehicle", "driver", "trips", "places"),
        [(each.vehicle_id, each.driver, str(each.visits), each.places) for each in drivers],
        right="trips",
    )


@app.command()
def accept(
    offer: OfferArgument,
    vehicle_id: VehicleIdOption = "",
    requester: RequesterOption = "",
    broker: BrokerOption = "",
) -> None:
    """Say yes to an offer; what it sets is done once the car shows it."""
    ask(RecommendationFeedback, broker, vehicle_id, requester, offer_id=offer, answer="accept")


@app.command()
def reject(
    offer: OfferArgument,
    vehicle_id: VehicleIdOption = "",
    requester: RequesterOption = "",
    broker: BrokerOption = "",
) -> None:
    """Say no to an offer: it counts against it, and it is not made for a day.

    What was applied without asking is put back.
    """
    ask(RecommendationFeedback, broker, vehicle_id, requester, offer_id=offer, answer="reject")


@app.command()
def pause(
    until: Annotated[
        str, typer.Option(metavar="INSTANT", help="Such as 2026-05-01T08:00:00Z.")
    ] = "",
    hours: Annotated[float | None, typer.Option(help="For so long.", min=0, max=100_000)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="End the pause instead.")] = False,
    vehicle_id: VehicleIdOption = "",
    requester: RequesterOption = "",
    broker: BrokerOption = "",
) -> None:
    """Suggest nothing in a vehicle for some time, else until --resume; it goes on learning."""
    if sum((bool(until), hours is not None, resume)) > 1:
        raise InputError("--until, --hours and --resume exclude each other")
    ends_at = None if not until else instant(instant_ns(until) // 1_000_000)
    if hours is not None:
        ends_at = datetime.now(UTC) + timedelta(hours=hours)
    action = "resume" if resume else "pause"
    _control(broker, vehicle_id, requester, action=action, until=ends_at)


@app.command()
def automatic(
    kind: Annotated[Automatic, typer.Argument(help="Which offers.")],
    driver: DriverOption,
    off: Annotated[bool, typer.Option("--off", help="Ask again instead.")] = False,
    vehicle_id: VehicleIdOption = "",
    requester: RequesterOption = "",
    broker: BrokerOption = "",
) -> None:
    """Apply a driver's likely offers (0.8 or more) without asking, until --off."""
    _control(
        broker, vehicle_id, requester,
        action="automatic", driver=driver, kind=kind, is_on=not off,
    )  # fmt: skip


@app.command()
def name(
    place: Annotated[str, typer.Argument(metavar="PLACE", help="Its id, such as place-3.")],
    label: Annotated[str, typer.Argument(help="What to call it; empty: nothing any more.")],
    driver: DriverOption,
    vehicle_id: VehicleIdOption = "",
    requester: RequesterOption = "",
    broker: BrokerOption = "",
) -> None:
    """Give a place a name, which the suggestions then say."""
    _control(
        broker, vehicle_id, requester,
        action="name_place", driver=driver, place_id=place, label=label or None,
    )  # fmt: skip


@app.command()
def forget(
    vehicle_id: Annotated[str, typer.Option("--vehicle-id", help="In which vehicle.")],
    driver: DriverOption,
    place: Annotated[
        str, typer.Option(metavar="PLACE", help="This place only, such as place-3.")
    ] = "",
    store: StoreOption = "",
    settings: SettingsOption = "",
) -> None:
    """Erase a driver or one place: rows, what was learned, and the bytes in the file.

    It works on the store itself, also while the service runs or does not.
    """
    vehicle_id = vehicle_id_of(vehicle_id)
    with _opened(store, settings) as database:
        now_ms = time.time_ns() // 1_000_000
        erased, is_clean = inquiry.forget(database, vehicle_id, driver, place, now_ms)
    if erased is None:
        what = f"{place} of {driver}" if place else driver
        raise InputError(printable(f"{what[:140]}: nothing is kept; `car recommend list` says who"))
    typer.echo(f"{erased} visits erased")
    typer.echo("the trips themselves are kept by the trip service: car trips forget", err=True)
    if not is_clean:
        raise InputError(
            "somebody reads the store for long: its service erases the bytes within six hours"
        )


@app.command()
def export(
    vehicle_id: Annotated[str, typer.Option("--vehicle-id", help="In which vehicle.")],
    driver: DriverOption,
    store: StoreOption = "",
    settings: SettingsOption = "",
) -> None:
    """Write all that is kept of a driver to standard output, as JSON, positions included."""
    vehicle_id = vehicle_id_of(vehicle_id)
    with _opened(store, settings) as database, database.read() as connection:
        found = inquiry.whole(connection, vehicle_id, driver)
    if found is None:
        raise InputError(
            printable(f"{driver[:70]}: nothing is kept; `car recommend list` says who")
        )
    sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=1) + "\n")


def _opened(store: str, settings: str) -> AbstractContextManager[Database]:
    return opened_store(RecommendationSettings, SERVICE, settings, store, version=VERSION)


def _what(offer: inquiry.OpenOffer) -> str:
    if offer.made is None:
        return offer.place
    is_done = " (applied without asking)" if offer.made.is_automatic else ""
    return printable(offer_words(offer.made) + is_done)


def _state(standing: inquiry.VehicleNow) -> str:
    if standing.is_paused(time.time_ns() // 1_000_000):
        return "paused"
    if standing.driver is None:
        return "no trip is on"
    waits = "" if standing.said else "; too little is known to say anything"
    return f"{standing.driver} drives{waits}"


def _control(broker: str, vehicle_id: str, requester: str, **asked: Any) -> None:
    request_id = f"car-{uuid4().hex[:16]}"
    ask(RecommendationControl, broker, vehicle_id, requester, request_id=request_id, **asked)
