"""What is said of a passage, and what is signed for it (pure)."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from internetcar.contract.message import ContractError
from internetcar.contract.presence import Origin
from internetcar.contract.signature import sign
from internetcar.contract.tolls import Crossing, TollCharge, TollDeclaration, TollPassage
from services.tolls.facts import Evidence, Finding
from services.tolls.passages.charging import Movement
from services.tolls.passages.reckoning import Account, Reckoned, instant

_LONGEST_LINE = 400
_MOST_LINES = 16
_GREATEST = 1e300
_UNSIGNED = {"key_id": "", "signature": ""}


@dataclass(frozen=True, slots=True)
class GateFacts:
    """What the context says of a passage's gate; a charge keeps the version it was made with.

    Attributes:
        context: Its id.
        version: Of the context.
        operator: Who gets the money.
        currency: ISO 4217.
        label: Where the gate is.
        names: What else the operator may call it.
    """

    context: str
    version: str
    operator: str
    currency: str
    label: str
    names: tuple[str, ...] = ()


def lines(words: Sequence[str]) -> list[str]:
    """Words as a message may hold them: so many lines, none too long."""
    shown = [line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"
             for line in words]  # fmt: skip
    if len(shown) > _MOST_LINES:
        shown = [*shown[: _MOST_LINES - 1], f"… and {len(shown) - _MOST_LINES + 1} more lines"]
    return shown


def evidence_fields(evidence: Evidence) -> dict[str, Any]:
    """Evidence as the store keeps it, and as its digest is made: with numbers JSON has."""
    return {
        "log_ratio": _finite(evidence.log_ratio),
        "alternative": evidence.alternative,
        "separation_m": _finite(evidence.separation_m),
        "sigma_m": _finite(evidence.sigma_m),
        "fixes": [list(fix) for fix in evidence.fixes],
        "words": list(evidence.words),
    }


def read_evidence(fields: Mapping[str, Any]) -> Evidence:
    """Evidence from what `evidence_fields` gave."""
    return Evidence(
        log_ratio=fields["log_ratio"],
        alternative=fields["alternative"],
        separation_m=fields["separation_m"],
        sigma_m=fields["sigma_m"],
        fixes=tuple((fix[0], fix[1], fix[2], fix[3]) for fix in fields["fixes"]),
        words=tuple(fields["words"]),
    )


def _finite(number: float) -> float:
    """The number; the greatest there may be for one without end, and 0 for none at all."""
    return 0.0 if math.isnan(number) else max(-_GREATEST, min(number, _GREATEST))


def evidence_digest(finding: Finding) -> str:
    """SHA-256 of the canonical evidence: what was found, and all it rests on.

    It stays when the raw positions are gone: whoever kept them can show that they are the ones.
    """
    body = {
        "gate": finding.gate,
        "crossed_at_ms": finding.crossed_at_ms,
        "uncertainty_ms": finding.uncertainty_ms,
        "travelled_m": finding.travelled_m,
        "verdict": finding.verdict,
        "evidence": evidence_fields(finding.evidence),
    }
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def crossing_of(finding: Finding, label: str) -> Crossing:
    """Where and when, for a message."""
    return Crossing(
        gate=finding.gate,
        label=lines([label])[0],
        crossed_at=instant(finding.crossed_at_ms),
        uncertainty_ms=finding.uncertainty_ms,
    )


def passage_message(
    account: Account, reckoned: Reckoned, facts: GateFacts, revision: int, now: datetime
) -> TollPassage:
    """A passage as it stands; the fee is what all its charges shall add up to."""
    known = account.known
    return TollPassage(
        vehicle_id=known.place.vehicle_id,
        passage_id=known.passage_id,
        revision=revision,
        state=account.state,
        crossing=crossing_of(known.finding, facts.label),
        context=facts.context,
        context_version=facts.version,
        fee_minor=reckoned.owed.amount_minor,
        currency=facts.currency,
        words=lines(reckoned.owed.words),
        origin=known.place.origin,
        at=now,
    )


def charge_message(
    account: Account,
    movement: Movement,
    reckoned: Reckoned,
    facts: GateFacts,
    digest: str,
    key: Ed25519PrivateKey,
) -> TollCharge:
    """A movement of money as payments hears it, signed."""
    known = account.known
    charge = TollCharge(
        vehicle_id=known.place.vehicle_id,
        charge_id=movement.charge_id,
        kind=movement.kind,
        operator=facts.operator,
        passage_id=known.passage_id,
        crossing=crossing_of(known.finding, facts.label),
        amount_minor=movement.amount_minor,
        currency=facts.currency,
        fee_minor=reckoned.owed.amount_minor,
        context=facts.context,
        context_version=facts.version,
        words=lines(reckoned.owed.words),
        reason=_why(movement, reckoned),
        evidence_digest=digest,
        origin=known.place.origin,
        **_UNSIGNED,
    )
    return sign(charge, key)


def _why(movement: Movement, reckoned: Reckoned) -> str | None:
    """The reason of a movement that is not the first for its passage."""
    if reckoned.owed.reason is not None:
        return lines([reckoned.owed.reason])[0]
    if movement.number == 1:
        return None
    return "reckoned anew, or asked again: the fee of all passages together"


def declaration_message(
    account: Account,
    declaration_id: str,
    fee_minor: int,
    facts: GateFacts,
    digest: str,
    vehicle_class: str,
    key: Ed25519PrivateKey,
) -> TollDeclaration:
    """A passage and its fee as the toll charger hears it, signed."""
    known = account.known
    declaration = TollDeclaration(
        vehicle_id=known.place.vehicle_id,
        declaration_id=declaration_id,
        operator=facts.operator,
        passage_id=known.passage_id,
        crossing=crossing_of(known.finding, facts.label),
        fee_minor=fee_minor,
        currency=facts.currency,
        vehicle_class=vehicle_class,
        context=facts.context,
        context_version=facts.version,
        evidence_digest=digest,
        origin=known.place.origin,
        **_UNSIGNED,
    )
    return sign(declaration, key)


def kept_record(message: TollCharge | TollDeclaration) -> bytes:
    """A signed message as the store keeps it, with the vehicle that stands in its topic."""
    return orjson.dumps(message.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)


def read_charge(record: bytes) -> TollCharge:
    """A signed charge from the store.

    Raises:
        ContractError: Somebody changed it beyond reading.
    """
    try:
        return TollCharge.model_validate_json(record)
    except ValueError as error:
        raise ContractError("a stored charge cannot be read: the store was changed") from error


def bar_of(origin: Origin, clock: str, may_cost: Origin) -> str | None:
    """Why a passage may not cost money whatever is proven; `None`: it may.

    Money is for one origin only. A clock that runs free cannot say which tariff held: then nothing
    is charged, but for a simulation, whose time is its own.
    """
    if origin != may_cost:
        return origin
    if origin == "live" and clock != "synchronized":
        return "the vehicle's clock was not set by a time source"
    return None
