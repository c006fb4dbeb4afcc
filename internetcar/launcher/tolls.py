"""`car tolls`: what was passed, what it cost, why, and what an operator's invoice is worth."""

import sys
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from internetcar.contract.message import InputError
from internetcar.contract.money import format_minor
from internetcar.contract.signature import key_id, public_key_text
from internetcar.launcher.options import VehicleIdOption
from internetcar.launcher.service_settings import settings_for
from internetcar.launcher.tables import print_table, printable
from internetcar.launcher.tolls_context import context_app
from internetcar.launcher.tolls_desk import Desk, SettingsOption, StoreOption, opened
from internetcar.launcher.tolls_reconcile import reconcile
from services.settings import state_folder
from services.tolls import inquiry
from services.tolls.detection.provable import provable as judged
from services.tolls.passages import explain as words
from services.tolls.passages.entry import Entry
from services.tolls.passages.reckoning import instant
from services.tolls.settings import SERVICE, TollSettings
from services.tolls.signing_key import load_key, load_or_make_key
from services.tolls.tariff.shipped import find_context

app = typer.Typer(help="Tolls: passages, charges, why they cost what they cost, and invoices.")
app.add_typer(context_app, name="context")

LastOption = Annotated[int, typer.Option(min=1, max=10_000, help="So many of the newest.")]


@app.command()
def passages(
    vehicle_id: VehicleIdOption = "",
    last: LastOption = 50,
    store: StoreOption = "",
    settings: SettingsOption = "",
) -> None:
    """Print the newest passages: when, where, how sure, and what each costs now."""
    with opened(store, settings) as desk:
        found = desk.newest(vehicle_id, last)
    print_table(
        ("crossed, UTC", "vehicle", "place", "state", "fee", "why", "passage"),
        (
            (
                f"{entry.account.crossed_at:%Y-%m-%d %H:%M:%S}",
                entry.account.known.place.vehicle_id,
                f"{entry.facts.label} ({entry.facts.context})",
                _state(entry),
                format_minor(entry.fee_minor, entry.facts.currency),
                "; ".join(entry.words),
                entry.passage_id,
            )
            for entry in found
        ),
        right="fee",
    )


def _state(entry: Entry) -> str:
    """The evidence's verdict, and whether money is still owed."""
    last = entry.account.movements[-1].state if entry.account.movements else "posted"
    word = {"refused": ", not paid", "asked": ", asked for"}.get(last, "")
    return f"{entry.account.state}{word}"


@app.command()
def charges(
    vehicle_id: VehicleIdOption = "",
    last: LastOption = 50,
    store: StoreOption = "",
    settings: SettingsOption = "",
) -> None:
    """Print the money that the newest passages moved, charge by charge."""
    with opened(store, settings) as desk:
        found = desk.newest(vehicle_id, last)
    print_table(
        ("asked or answered, UTC", "place", "kind", "amount", "state", "charge"),
        (
            (
                f"{instant(movement.at_ms):%Y-%m-%d %H:%M:%S}",
                entry.facts.label,
                movement.kind,
                format_minor(movement.amount_minor, entry.facts.currency),
                movement.state + (f": {movement.reason}" if movement.reason else ""),
                movement.charge_id,
            )
            for entry in found
            for movement in entry.account.movements
        ),
        right="amount",
    )


@app.command()
def explain(
    event_id: Annotated[str, typer.Argument(metavar="CHARGE|PASSAGE", help="Its id.")],
    store: StoreOption = "",
    settings: SettingsOption = "",
) -> None:
    """Explain a charge or passage: evidence, fee, money, and what the operator said."""
    with opened(store, settings) as desk:
        with desk.database.read() as connection:
            entry = inquiry.of_event(connection, event_id)
            if entry is None:
                raise InputError(
                    f"{event_id[:70]}: no such charge or passage; `car tolls passages` names them"
                )
            records = inquiry.records(connection, entry.passage_id)
        zone = desk.zone_of(entry.facts.context)
        for line in words.explain(entry, records, _trusted(desk), zone):
            sys.stdout.write(printable(line) + "\n")


app.command()(reconcile)


@app.command()
def provable(
    context: Annotated[str, typer.Argument(metavar="CONTEXT", help="Shipped by name, or a file.")],
    sigma: Annotated[
        float, typer.Option(min=0.5, max=100, help="Of the receiver, on each axis, in m.")
    ] = 5.0,
    interval: Annotated[float, typer.Option(min=0.05, max=60, help="Between fixes, in s.")] = 1.0,
) -> None:
    """Say which gates GNSS can prove at all, and against what the others cannot be told."""
    toll = find_context(context)
    found = judged(toll.gates, toll.roads, sigma, interval)
    print_table(
        ("gate", "place", "provable", "held against", "apart", "why not"),
        (
            (
                each.gate,
                toll.by_id[each.gate].label,
                "yes" if each.is_provable else "no",
                each.alternative,
                f"{each.separation_m:.0f} m",
                each.reason,
            )
            for each in found
        ),
        right="apart",
    )
    yes = sum(each.is_provable for each in found)
    typer.echo(f"{yes} of {len(found)} gates of {toll.id} are provable at {sigma:g} m, a fix each"
               f" {interval:g} s")  # fmt: skip


@app.command()
def key(settings: SettingsOption = "") -> None:
    """Print the public key that charges are signed with, as `toll_keys` of payments wants it.

    The key is made where there is none yet, so that they can be told before the service begins.
    """
    read = settings_for(TollSettings, SERVICE, settings)
    public = load_or_make_key(state_folder(read, SERVICE)).public_key()
    typer.echo(f'{key_id(public)} = "{public_key_text(public)}"')


def _trusted(desk: Desk) -> dict[str, Ed25519PublicKey]:
    """Our key by its id; none where it is on another machine, and then signatures are not ours."""
    try:
        public = load_key(state_folder(desk.settings, SERVICE)).public_key()
    except InputError as error:
        typer.echo(printable(f"no signature can be checked: {error}"), err=True)
        return {}
    return {key_id(public): public}
