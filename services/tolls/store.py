"""Passages, money and verdicts on disk; each function works in its caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, func, select, update

from services.tolls.facts import Finding
from services.tolls.passages.charging import Billing, Movement
from services.tolls.passages.entry import Declared, Entry
from services.tolls.passages.matching import Known, Place
from services.tolls.passages.reckoning import Account
from services.tolls.passages.records import GateFacts, evidence_fields, read_evidence
from services.tolls.tables import toll_declaration, toll_movement, toll_passage
from services.tolls.tariff.vehicle import VehicleFacts

NEAR_MS = 24 * 3_600_000
"""A jam at a gate may last as long: so near in time a finding may mean a passage."""


def near(connection: Connection, place: Place, finding: Finding) -> list[Entry]:
    """All passages that a finding may mean or that may lie between."""
    since_ms, until_ms = finding.crossed_at_ms - NEAR_MS, finding.crossed_at_ms + NEAR_MS
    return entries(
        connection,
        select(toll_passage).where(
            toll_passage.c.vehicle_id == place.vehicle_id,
            toll_passage.c.context == place.context,
            toll_passage.c.crossed_at_ms.between(since_ms, until_ms),
        ),
    )


def ordinals(connection: Connection, place: Place, gate: str) -> int:
    """How many passages a vehicle has at a gate."""
    last = select(func.max(toll_passage.c.ordinal)).where(
        toll_passage.c.vehicle_id == place.vehicle_id,
        toll_passage.c.context == place.context,
        toll_passage.c.gate == gate,
    )
    return connection.execute(last).scalar_one() or 0


def in_time(
    connection: Connection,
    vehicle_id: str,
    context: str,
    shift_ms: int,
    times_ms: tuple[int, int] | None,
) -> list[Entry]:
    """All passages with a shift, and crossed from a time up to another; `None`: at any time."""
    wanted = select(toll_passage).where(
        toll_passage.c.vehicle_id == vehicle_id,
        toll_passage.c.context == context,
        toll_passage.c.shift_ms == shift_ms,
    )
    if times_ms is not None:
        wanted = wanted.where(toll_passage.c.crossed_at_ms.between(*times_ms))
    return entries(connection, wanted)


def entry(connection: Connection, passage_id: str) -> Entry | None:
    """One passage."""
    found = entries(connection, select(toll_passage).where(toll_passage.c.passage_id == passage_id))
    return found[0] if found else None


def entries(connection: Connection, wanted: Select[Any]) -> list[Entry]:
    """Passages with their money and verdicts, by time of crossing.

    Args:
        connection: Of the transaction.
        wanted: Rows of `toll_passage`.
    """
    ordered = wanted.order_by(toll_passage.c.crossed_at_ms, toll_passage.c.passage_id)
    rows = list(connection.execute(ordered))
    ids = [row.passage_id for row in rows]
    movements: dict[str, list[Movement]] = {}
    for row in _of_passages(connection, select(toll_movement), ids):
        movement = Movement(
            row.charge_id, row.number, row.kind, row.amount_minor, row.state, row.at_ms, row.reason
        )
        movements.setdefault(row.passage_id, []).append(movement)
    declared: dict[str, list[Row[Any]]] = {}
    for row in _of_passages(connection, select(toll_declaration), ids):
        declared.setdefault(row.passage_id, []).append(row)
    return [
        _entry(row, movements.get(row.passage_id, ()), declared.get(row.passage_id, ()))
        for row in rows
    ]


def _of_passages(
    connection: Connection, wanted: Select[Any], ids: Sequence[str]
) -> Iterable[Row[Any]]:
    """The rows of these passages, by their numbers; a few hundred ids to a statement."""
    table = wanted.get_final_froms()[0]
    for start in range(0, len(ids), 500):
        some = wanted.where(table.c.passage_id.in_(ids[start : start + 500]))
        yield from connection.execute(some.order_by(table.c.passage_id, table.c.number))


def _entry(row: Row[Any], movements: Iterable[Movement], declared: Sequence[Row[Any]]) -> Entry:
    body = orjson.loads(row.body)
    place = Place(row.vehicle_id, row.context, body["origin"], body["epoch"])
    finding = Finding(
        gate=row.gate,
        crossed_at_ms=row.crossed_at_ms,
        uncertainty_ms=body["uncertainty_ms"],
        travelled_m=body["travelled_m"],
        verdict=body["verdict"],
        evidence=read_evidence(body["evidence"]),
    )
    known = Known(row.passage_id, place, row.ordinal, finding, body["evidence_until_ms"])
    billings = tuple(
        Billing(each.declared_minor, each.verdict, each.amount_minor, each.reason)
        for each in declared
        if each.verdict is not None
    )
    account = Account(known, body["bar"], body["is_free"], row.shift_ms, tuple(movements), billings)
    facts = GateFacts(**{**body["facts"], "names": tuple(body["facts"]["names"])})
    return Entry(
        account, facts, body["digest"], row.revision, row.fee_minor,
        tuple(body["words"]), not row.has_fixes,
        tuple(
            Declared(each.declaration_id, each.declared_minor, each.verdict is not None)
            for each in declared
        ),
        VehicleFacts.model_validate(body["vehicle"]),
    )  # fmt: skip


def write(connection: Connection, kept: Entry, retry_at_ms: int | None) -> None:
    """Insert or replace a passage; its money and declarations have tables of their own."""
    known, account = kept.account.known, kept.account
    finding = known.finding
    body = {
        "origin": known.place.origin,
        "epoch": known.place.epoch,
        "uncertainty_ms": finding.uncertainty_ms,
        "travelled_m": finding.travelled_m,
        "verdict": finding.verdict,
        "evidence": evidence_fields(finding.evidence),
        "evidence_until_ms": known.evidence_until_ms,
        "bar": account.bar,
        "is_free": account.is_free,
        "facts": asdict(kept.facts),
        "digest": kept.digest,
        "words": kept.words,
        "vehicle": kept.vehicle.model_dump(),
    }
    values = {
        "crossed_at_ms": finding.crossed_at_ms,
        "shift_ms": account.shift_ms,
        "state": account.state,
        "revision": kept.revision,
        "fee_minor": kept.fee_minor,
        "retry_at_ms": retry_at_ms,
        "has_fixes": not kept.are_positions_gone,
        "body": orjson.dumps(body).decode(),
    }
    this = toll_passage.c.passage_id == known.passage_id
    if connection.execute(update(toll_passage).where(this).values(**values)).rowcount == 0:
        connection.execute(
            toll_passage.insert().values(
                passage_id=known.passage_id,
                vehicle_id=known.place.vehicle_id,
                context=known.place.context,
                gate=finding.gate,
                ordinal=known.ordinal,
                **values,
            )
        )


def add_movement(
    connection: Connection, passage_id: str, movement: Movement, record: bytes
) -> None:
    """Money that is asked for, with what was signed."""
    values = asdict(movement)
    connection.execute(
        toll_movement.insert().values(passage_id=passage_id, record=record, **values)
    )


def passage_of_charge(connection: Connection, charge_id: str) -> str | None:
    """The passage that a movement of money is for."""
    wanted = select(toll_movement.c.passage_id).where(toll_movement.c.charge_id == charge_id)
    return connection.execute(wanted).scalar_one_or_none()


def note_answer(connection: Connection, movement: Movement) -> None:
    """What payments said to a movement."""
    connection.execute(
        update(toll_movement)
        .where(toll_movement.c.charge_id == movement.charge_id)
        .values(state=movement.state, at_ms=movement.at_ms, reason=movement.reason)
    )


def forget_positions(connection: Connection, kept: Entry) -> None:
    """Delete the raw positions of a passage; digest and words stay."""
    this = toll_passage.c.passage_id == kept.passage_id
    body = orjson.loads(connection.execute(select(toll_passage.c.body).where(this)).scalar_one())
    body["evidence"]["fixes"] = []
    values = {"body": orjson.dumps(body).decode(), "has_fixes": False}
    connection.execute(update(toll_passage).where(this).values(**values))
