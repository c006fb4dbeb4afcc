"""How money comes into the wallet and leaves it: the interface, and the way that needs no bank.

A provider that talks to a bank or a card processor is a class with these two methods; ours records
what a person has done by hand, and claims nothing else.
"""

from dataclasses import dataclass
from typing import Protocol

from internetcar.contract.message import InputError
from services.payments.instruction import printable
from services.payments.movements import Movement

_MOST_REFERENCE = 120


class ProviderError(InputError):
    """Money did not move, or nobody can show that it did."""


@dataclass(frozen=True, slots=True)
class Order:
    """Money that is to change hands outside of the wallet.

    Attributes:
        owner: Whose, as in `Movement`.
        amount_minor: How much, above 0.
        currency: ISO 4217.
        reference: What the record of it outside is called: a receipt, a bank statement's line.
        recorded_by: The person who says so.
        fee_minor: What the wallet keeps of it.
    """

    owner: str
    amount_minor: int
    currency: str
    reference: str
    recorded_by: str
    fee_minor: int = 0


class Provider(Protocol):
    """A way for money to come in and go out."""

    @property
    def name(self) -> str:
        """What its ledger account is called."""
        ...

    def collect(self, order: Order) -> Movement:
        """Get money from outside; returns when it is there.

        Raises:
            ProviderError: It is not.
        """
        ...

    def send(self, order: Order) -> Movement:
        """Give money to the outside; returns when it is gone.

        Raises:
            ProviderError: It is not.
        """
        ...


@dataclass(frozen=True, slots=True)
class ByHand:
    """Cash or a bank transfer that a person has seen happen, and says where that can be looked up.

    Attributes:
        name: `cash` or `transfer`.
    """

    name: str

    def collect(self, order: Order) -> Movement:
        """Record that the money was handed over.

        Raises:
            ProviderError: Without a reference or the person's name.
        """
        return self._recorded(order, "received")

    def send(self, order: Order) -> Movement:
        """Record that the money was paid out.

        Raises:
            ProviderError: Without a reference or the person's name.
        """
        return self._recorded(order, "paid out")

    def _recorded(self, order: Order, what: str) -> Movement:
        reference, person = printable(order.reference), printable(order.recorded_by)
        if not reference or len(reference) > _MOST_REFERENCE:
            raise ProviderError(
                f"--reference: what its receipt or statement calls it, up to {_MOST_REFERENCE}"
                " signs"
            )
        if not person or len(person) > _MOST_REFERENCE:
            raise ProviderError("--by: who has seen the money change hands")
        return Movement(
            provider=self.name,
            reference=reference,
            owner=order.owner,
            amount_minor=order.amount_minor,
            currency=order.currency,
            fee_minor=order.fee_minor,
            words=(f"{self.name} {what}, {reference}, recorded by {person}",),
        )


BY_HAND = {name: ByHand(name) for name in ("cash", "transfer")}
"""The providers that need nobody but a person."""
