"""A toll charger's answers in the terms of ISO 12855: a declaration in, billing details out (pure).

An answer is a function of the rules and the declaration alone: the same one for ever.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, model_validator

from internetcar.contract.message import Name
from internetcar.contract.money import MOST_MINOR, Minor, SignedMinor, Words
from internetcar.contract.signature import is_signed
from internetcar.contract.tolls import (
    BillingDetails,
    ExceptionEntry,
    ExceptionList,
    TollDeclaration,
)

_MOST_WORDS = 400
"""So many signs a reason may have, as the contract's `Words`."""


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Written):
    """What becomes of some declarations; what is left out is not asked.

    Attributes:
        vehicle_id: Only of this vehicle.
        gate: Only of this gate.
        context: Only of this toll context.
        percent: Only of so many of a hundred declarations, drawn by their ids and the seed.
        verdict: What is answered.
        amount_minor: What is billed instead; with `corrected`.
        change_minor: What is added to the declared fee instead; with `corrected`.
        reason: What is said.
    """

    vehicle_id: Name | None = None
    gate: str | None = None
    context: Name | None = None
    percent: Annotated[int, Field(ge=0, le=100)] = 100
    verdict: Literal["confirmed", "rejected", "corrected"]
    amount_minor: Minor | None = None
    change_minor: SignedMinor | None = None
    reason: Words | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "Rule":
        given = (self.amount_minor is not None) + (self.change_minor is not None)
        if given != (self.verdict == "corrected"):
            raise ValueError("`corrected` has one of amount_minor and change_minor, others none")
        return self


class Rules(_Written):
    """The charger's rules: the first that fits decides; where none does it confirms.

    Attributes:
        seed: Another one draws other declarations.
        operators: For whom it answers; empty: for everybody.
        rules: In order.
        exceptions: Its exception list, for each of `operators`.
        version: Of the exception list.
    """

    seed: int = 1
    operators: tuple[Name, ...] = ()
    rules: tuple[Rule, ...] = ()
    exceptions: tuple[ExceptionEntry, ...] = ()
    version: Annotated[int, Field(ge=0, le=MOST_MINOR)] = 1

    @model_validator(mode="after")
    def _is_heard(self) -> "Rules":
        if self.exceptions and not self.operators:
            raise ValueError("exceptions need operators: a list is said for each of them")
        return self


CONFIRM_ALL = Rules()


def answer(
    rules: Rules,
    declaration: TollDeclaration,
    trusted: Mapping[str, Ed25519PublicKey] | None = None,
) -> BillingDetails | None:
    """What the charger says to a declaration; `None`: it is not for it.

    A vehicle that the exception list exempts or blocks is not billed, whatever the rules say.

    Args:
        rules: Its rules.
        declaration: As it came.
        trusted: Keys by id, one of which must have signed it; `None`: it takes anybody's word.
    """
    if rules.operators and declaration.operator not in rules.operators:
        return None
    if trusted is not None and not is_signed(declaration, trusted):
        return _billed(declaration, "rejected", 0, "no trusted key signed this declaration")
    exception = _exception(rules, declaration)
    if exception is not None:
        because = f": {exception.reason}" if exception.reason else ""
        words = f"{exception.treatment} by the exception list{because}"
        return _billed(declaration, "rejected", 0, words[:_MOST_WORDS])
    for number, rule in enumerate(rules.rules):
        if _fits(rule, declaration, f"{rules.seed}:{number}"):
            reason = rule.reason
            if rule.verdict == "corrected":
                return _billed(declaration, "corrected", _amount(rule, declaration), reason)
            amount_minor = declaration.fee_minor if rule.verdict == "confirmed" else 0
            return _billed(declaration, rule.verdict, amount_minor, reason)
    return _billed(declaration, "confirmed", declaration.fee_minor, None)


def exception_lists(rules: Rules) -> list[ExceptionList]:
    """What is said to everybody."""
    return [
        ExceptionList(operator=operator, version=rules.version, entries=list(rules.exceptions))
        for operator in rules.operators
    ]


def _exception(rules: Rules, declaration: TollDeclaration) -> ExceptionEntry | None:
    """What the list says of the vehicle when it crossed; exempt goes first."""
    at = declaration.crossing.crossed_at
    found = [
        entry
        for entry in rules.exceptions
        if entry.vehicle_id == declaration.vehicle_id
        and entry.valid_from <= at
        and (entry.valid_until is None or at < entry.valid_until)
    ]
    return min(
        found, key=lambda entry: (entry.treatment != "exempt", entry.valid_from), default=None
    )


def _fits(rule: Rule, declaration: TollDeclaration, seed: str) -> bool:
    return (
        rule.vehicle_id in (None, declaration.vehicle_id)
        and rule.gate in (None, declaration.crossing.gate)
        and rule.context in (None, declaration.context)
        and _draw(seed, declaration.declaration_id) < rule.percent
    )


def _draw(seed: str, declaration_id: str) -> int:
    """0 to 99, evenly, and always the same for the same declaration."""
    digest = hashlib.sha256(f"{seed}:{declaration_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 100


def _amount(rule: Rule, declaration: TollDeclaration) -> int:
    if rule.amount_minor is not None:
        return rule.amount_minor
    return min(max(0, declaration.fee_minor + (rule.change_minor or 0)), MOST_MINOR)


def _billed(
    declaration: TollDeclaration,
    verdict: Literal["confirmed", "rejected", "corrected"],
    amount_minor: int,
    reason: str | None,
) -> BillingDetails:
    return BillingDetails(
        vehicle_id=declaration.vehicle_id,
        declaration_id=declaration.declaration_id,
        operator=declaration.operator,
        passage_id=declaration.passage_id,
        verdict=verdict,
        amount_minor=amount_minor,
        currency=declaration.currency,
        reason=reason,
        at=declaration.crossing.crossed_at,
    )
