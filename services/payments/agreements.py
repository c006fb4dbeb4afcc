"""Who may ask what, and whose account pays: the settings of payments as the rules read them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from internetcar.contract.signature import TrustedKeys, is_signed
from internetcar.contract.tolls import TollCharge
from services.payments.case import RefusedError
from services.payments.instruction import Instruction
from services.payments.limits import Terms

LIVE_ONLY = frozenset({"live"})


@dataclass(frozen=True, slots=True)
class Account:
    """One account and what was agreed for it.

    Attributes:
        name: As in its topics.
        vehicles: Whose tolls and payments it pays.
        origins: The worlds whose money is meant; of all others nothing costs.
        terms: Credit and limits.
    """

    name: str
    vehicles: Collection[str] = ()
    origins: Collection[str] = LIVE_ONLY
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True, slots=True)
class Agreements:
    """All accounts, who may use which purpose, and whose toll charges are believed.

    Attributes:
        accounts: By name; a vehicle belongs to one at most.
        purposes: What each requester may ask for; nobody else may ask for anything.
        toll_keys: Public keys of toll services by key id.
        believes_unsigned: Where there are no keys, pay toll charges on the word of the broker's
            access rules.
    """

    accounts: Mapping[str, Account] = field(default_factory=dict)
    purposes: Mapping[str, Collection[str]] = field(default_factory=dict)
    toll_keys: TrustedKeys = field(default_factory=dict)
    believes_unsigned: bool = False

    def account_of(self, vehicle_id: str) -> str | None:
        """The account that pays for a vehicle."""
        for account in self.accounts.values():
            if vehicle_id in account.vehicles:
                return account.name
        return None

    def terms(self, account: str) -> Terms:
        """What was agreed for an account; prepaid where nothing was."""
        known = self.accounts.get(account)
        return Terms() if known is None else known.terms

    def check_requester(self, instruction: Instruction) -> None:
        """Refuse a requester that may not ask for this purpose.

        Raises:
            RefusedError: It may not.
        """
        if instruction.purpose not in self.purposes.get(instruction.requester, ()):
            raise RefusedError(
                "not_trusted",
                f"{instruction.requester} may not ask for {instruction.purpose}: see requesters in"
                " the settings of payments",
            )
        if instruction.purpose == "toll" and not self.believes_unsigned:
            raise RefusedError("not_trusted", "tolls are paid by signed toll charges only")

    def check_charge(self, charge: TollCharge) -> None:
        """Refuse a toll charge that none of the trusted keys has signed.

        Raises:
            RefusedError: It is not signed, or wrongly, or nobody's signature is known.
        """
        if self.believes_unsigned and not self.toll_keys:
            return
        if not is_signed(charge, self.toll_keys):
            raise RefusedError(
                "not_trusted",
                "no trusted toll service has signed this charge: see toll_keys in the settings of"
                " payments",
            )

    def check_origin(self, account: str, origin: str) -> None:
        """Refuse what happened in a world whose money is not meant.

        Raises:
            RefusedError: It is not one of the account's origins.
        """
        known = self.accounts.get(account)
        accepted = LIVE_ONLY if known is None else known.origins
        if origin not in accepted:
            raise RefusedError(
                "origin", f"{account} pays for {', '.join(sorted(accepted))}, not for {origin}"
            )
