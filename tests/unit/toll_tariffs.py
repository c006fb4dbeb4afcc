"""Toll contexts, passages and their fees, as small as a test needs them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.tolls.facts import Passage
from services.tolls.tariff.context import Context
from services.tolls.tariff.fees import Fee, fees
from services.tolls.tariff.vehicle import VehicleFacts

CAR = VehicleFacts()


def gate(name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "label": f"Gate {name}",
        "line": [[1.0, 103.0], [1.0, 103.0002]],
        "bearing_deg": 0,
        **more,
    }


def context_of(
    *, gates: Iterable[dict[str, Any]] | None = None, currency: str = "EUR", **tariff: Any
) -> Context:
    """A context with the gates A, B and C, in Berlin, with a tariff."""
    return Context.model_validate(described(gates=gates, currency=currency, tariff=tariff))


def described(
    *,
    gates: Iterable[dict[str, Any]] | None = None,
    currency: str = "EUR",
    tariff: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    return {
        "id": "testland",
        "version": "1",
        "title": "Testland",
        "operator": {"id": "tester", "name": "Tester"},
        "currency": {"code": currency, "exponent": {"JPY": 0, "KWD": 3}.get(currency, 2)},
        "time_zone": "Europe/Berlin",
        "valid_from": "2020-01-01",
        "gates": list(gates) if gates is not None else [gate("A"), gate("B"), gate("C")],
        "tariff": tariff or {},
        **more,
    }


def all_day(price: Any, **more: Any) -> dict[str, Any]:
    return {"bands": [["00:00", "24:00", price]], **more}


def passage(
    context: Context, place: str, local: str, *, name: str | None = None, sigma_ms: int = 0
) -> Passage:
    """A passage at a local time such as `2026-07-07 08:12`, or an instant with its offset."""
    at = datetime.fromisoformat(local)
    at = at.replace(tzinfo=context.zone) if at.tzinfo is None else at
    return Passage(name or f"{place} {local}", place, at, sigma_ms)


def amounts(context: Context, *passed: tuple[str, str], vehicle: VehicleFacts = CAR) -> list[int]:
    """What passages cost, in the order they are named here."""
    passages = [
        passage(context, place, local, name=str(n)) for n, (place, local) in enumerate(passed)
    ]
    found = {fee.passage_id: fee.amount_minor for fee in fees(passages, context, vehicle)}
    return [found[str(n)] for n in range(len(passages))]


def one_fee(
    context: Context, place: str, local: str, *, vehicle: VehicleFacts = CAR, sigma_ms: int = 0
) -> Fee:
    """The fee of a passage alone."""
    [fee] = fees([passage(context, place, local, sigma_ms=sigma_ms)], context, vehicle)
    return fee
