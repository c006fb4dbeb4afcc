"""Declarations, what operators say to them, and their exception lists, on disk."""

from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select, update

from internetcar.contract.tolls import BillingDetails, ExceptionEntry, ExceptionList
from services.database import insert_new
from services.tolls.passages.entry import Entry
from services.tolls.tables import toll_declaration, toll_exceptions, toll_vehicle


def add_declaration(
    connection: Connection, declaration_id: str, kept: Entry, declared_minor: int
) -> None:
    """A fee that is declared to the operator."""
    connection.execute(
        toll_declaration.insert().values(
            declaration_id=declaration_id,
            passage_id=kept.passage_id,
            number=len(kept.declared) + 1,
            operator=kept.facts.operator,
            currency=kept.facts.currency,
            declared_minor=declared_minor,
        )
    )


def declaration(connection: Connection, declaration_id: str) -> Row[Any] | None:
    """One declaration and its answer."""
    return connection.execute(
        select(toll_declaration).where(toll_declaration.c.declaration_id == declaration_id)
    ).one_or_none()


def note_verdict(connection: Connection, said: BillingDetails) -> None:
    """What the operator said to a declaration."""
    connection.execute(
        update(toll_declaration)
        .where(toll_declaration.c.declaration_id == said.declaration_id)
        .values(verdict=said.verdict, amount_minor=said.amount_minor, reason=said.reason)
    )


def exceptions_of(connection: Connection, operator: str, vehicle_id: str) -> ExceptionList | None:
    """The newest exception list of an operator, as far as it names a vehicle."""
    wanted = select(toll_exceptions.c.body).where(toll_exceptions.c.operator == operator)
    body = connection.execute(wanted).scalar_one_or_none()
    return None if body is None else _by_vehicle(body).get(vehicle_id)


@lru_cache(maxsize=8)
def _by_vehicle(body: str) -> dict[str, ExceptionList]:
    """A list of up to 10,000 entries, read once: every reckoning asks for it."""
    listed = ExceptionList.model_validate_json(body)
    found: dict[str, list[ExceptionEntry]] = {}
    for entry in listed.entries:
        found.setdefault(entry.vehicle_id, []).append(entry)
    return {
        vehicle_id: listed.model_copy(update={"entries": entries})
        for vehicle_id, entries in found.items()
    }


def note_exceptions(connection: Connection, said: ExceptionList) -> bool:
    """Keep an exception list if it is newer; every vehicle is reckoned anew then."""
    body = orjson.dumps(said.model_dump(mode="json")).decode()
    if not insert_new(
        connection, toll_exceptions, operator=said.operator, version=said.version, body=body
    ):
        newer = (toll_exceptions.c.operator == said.operator) & (
            toll_exceptions.c.version < said.version
        )
        values = {"version": said.version, "body": body}
        if connection.execute(update(toll_exceptions).where(newer).values(**values)).rowcount == 0:
            return False
    connection.execute(update(toll_vehicle).values(must_reckon=True))
    return True
