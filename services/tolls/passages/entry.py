"""A passage as the service keeps it (pure)."""

from dataclasses import dataclass

from services.tolls.passages.reckoning import Account
from services.tolls.passages.records import GateFacts
from services.tolls.tariff.vehicle import VehicleFacts

_NOTHING_SAID = VehicleFacts()


@dataclass(frozen=True, slots=True)
class Declared:
    """A fee that was declared to the operator.

    Attributes:
        declaration_id: Of the declaration.
        fee_minor: What was declared.
        is_answered: Whether the operator has spoken.
    """

    declaration_id: str
    fee_minor: int
    is_answered: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A passage as it is stored.

    Attributes:
        account: With its money and verdicts.
        facts: Of its gate, from the context it was reckoned with.
        digest: SHA-256 of its evidence.
        revision: How often it was said.
        fee_minor: What was said that it costs.
        words: What was said of the fee.
        are_positions_gone: Its raw positions are deleted.
        declared: Fees that were declared, in order.
        vehicle: What the vehicle was said to be when it was first found; later settings change
            no price of it.
    """

    account: Account
    facts: GateFacts
    digest: str
    revision: int = 0
    fee_minor: int = 0
    words: tuple[str, ...] = ()
    are_positions_gone: bool = False
    declared: tuple[Declared, ...] = ()
    vehicle: VehicleFacts = _NOTHING_SAID

    @property
    def passage_id(self) -> str:
        """Of the passage."""
        return self.account.known.passage_id
