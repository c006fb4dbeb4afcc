"""A passage in words: what, where, when, how sure, what it costs and what became of it (pure)."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from internetcar.contract.message import ContractError
from internetcar.contract.money import format_minor
from internetcar.contract.signature import is_signed
from internetcar.contract.tolls import TollCharge
from services.tolls.facts import Evidence
from services.tolls.passages.charging import Movement, asked_minor
from services.tolls.passages.entry import Entry
from services.tolls.passages.reckoning import instant
from services.tolls.passages.records import evidence_digest, read_charge

_STATES = {
    "proven": "proven",
    "unresolved": "unresolved: later evidence may decide, else it is free",
    "rejected": "rejected: it was not passed",
    "free": "free: it could not be proven in time",
}
_MAGNITUDES = ("", " thousand", " million", " billion", " trillion")
_TOO_MUCH = 15


def explain(
    entry: Entry,
    records: Sequence[bytes],
    trusted: Mapping[str, Ed25519PublicKey],
    zone: ZoneInfo | None = None,
) -> list[str]:
    """A passage and its money, for its driver and for a dispute.

    Args:
        entry: The passage as it is stored.
        records: Its signed charges, in order.
        trusted: Keys by id that may have signed them.
        zone: Of the context; `None`: only UTC is said.
    """
    return [
        *_what(entry, zone),
        "",
        "Evidence",
        *_indented(_evidence(entry)),
        "",
        "Fee",
        *_indented([*entry.words, f"in all: {_money(entry, entry.fee_minor)}"]),
        "",
        "Money",
        *_indented(_money_lines(entry, records, trusted)),
        "",
        "Operator",
        *_indented(_verdicts(entry)),
    ]


def odds(log_ratio: float) -> str:
    """A likelihood ratio for a person, from its natural logarithm."""
    magnitude = abs(log_ratio) / math.log(10)
    if magnitude >= _TOO_MUCH:
        number = "more than a quadrillion"
    else:
        group, ratio = int(magnitude // 3), math.exp(abs(log_ratio))
        scaled = ratio / 10 ** (3 * group)
        number = f"about {scaled:.2g}" if scaled < 10 else f"about {round(scaled)}"
        number += _MAGNITUDES[group]
    return f"{number} times {'as' if log_ratio >= 0 else 'less'} likely"


def _what(entry: Entry, zone: ZoneInfo | None) -> list[str]:
    known, facts = entry.account.known, entry.facts
    finding = known.finding
    return [
        f"Passage {entry.passage_id}, revision {entry.revision}",
        f"{facts.label} (gate {finding.gate} of {facts.context} {facts.version}, operator"
        f" {facts.operator})",
        f"Vehicle {known.place.vehicle_id}, its passage {known.ordinal} at this gate; origin"
        f" {known.place.origin}",
        f"{_time(instant(finding.crossed_at_ms), zone)}, ± {finding.uncertainty_ms / 1000:.1f} s",
        f"It is {_STATES[entry.account.state]}",
    ]


def _time(at: datetime, zone: ZoneInfo | None) -> str:
    said = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    return said if zone is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S} {zone.key} ({said})"


def _evidence(entry: Entry) -> list[str]:
    evidence = entry.account.known.finding.evidence
    return [
        f"The tolled way is {odds(evidence.log_ratio)}"
        f"{' as' if evidence.log_ratio >= 0 else ' than'} the best other one:"
        f" {evidence.alternative}, {evidence.separation_m:.0f} m apart, with fixes of"
        f" {evidence.sigma_m:.1f} m (one standard deviation)",
        *evidence.words,
        _positions(entry, evidence),
    ]


def _positions(entry: Entry, evidence: Evidence) -> str:
    if entry.are_positions_gone:
        return f"The positions are deleted; SHA-256 of what they were part of: {entry.digest}"
    is_same = evidence_digest(entry.account.known.finding) == entry.digest
    fit = "fits" if is_same else "DOES NOT FIT: the store was changed"
    return f"It rests on {len(evidence.fixes)} fixes; SHA-256 {entry.digest} {fit}"


def _money_lines(
    entry: Entry, records: Sequence[bytes], trusted: Mapping[str, Ed25519PublicKey]
) -> list[str]:
    movements = entry.account.movements
    if not movements:
        return ["nothing was charged"]
    lines: list[str] = []
    for movement, record in zip(movements, records, strict=True):
        lines += _movement(entry, movement, record, trusted)
    return [*lines, f"in all: {_money(entry, asked_minor(movements))}"]


def _movement(
    entry: Entry, movement: Movement, record: bytes, trusted: Mapping[str, Ed25519PublicKey]
) -> list[str]:
    state = {
        "asked": "payments has not answered yet",
        "posted": "posted",
        "refused": f"unpaid, refused: {movement.reason or 'no reason given'}",
    }[movement.state]
    line = (
        f"{movement.number}. {movement.kind} {_money(entry, movement.amount_minor)}"
        f" ({movement.charge_id}): {state}, {_time(instant(movement.at_ms), None)}"
    )
    try:
        charge = read_charge(record)
    except ContractError as error:
        return [line, f"   {error}"]
    return [
        line,
        *([f"   because: {charge.reason}"] if charge.reason else []),
        f"   {_signature(charge, movement, trusted)}",
    ]


def _signature(
    charge: TollCharge, movement: Movement, trusted: Mapping[str, Ed25519PublicKey]
) -> str:
    said = (charge.charge_id, charge.kind, charge.amount_minor)
    if said != (movement.charge_id, movement.kind, movement.amount_minor):
        return "the signed record is OF ANOTHER CHARGE: the store was changed"
    if charge.key_id not in trusted:
        return f"signed by the key {charge.key_id}, which is not ours"
    if not is_signed(charge, trusted):
        return "the signature DOES NOT FIT: the record was changed"
    return f"signed by our key {charge.key_id}, and unchanged"


def _verdicts(entry: Entry) -> list[str]:
    if not entry.declared:
        return ["nothing was declared to it"]
    lines: list[str] = []
    verdicts = iter(entry.account.billings)
    for number, declared in enumerate(entry.declared, 1):
        line = f"{number}. declared {_money(entry, declared.fee_minor)}: "
        if not declared.is_answered:
            lines.append(line + "no answer yet")
            continue
        billing = next(verdicts)
        because = f": {billing.reason}" if billing.reason else ""
        lines.append(f"{line}{billing.verdict}, {_money(entry, billing.amount_minor)}{because}")
    return lines


def _money(entry: Entry, minor: int) -> str:
    return format_minor(minor, entry.facts.currency)


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]
