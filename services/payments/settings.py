"""The settings of payments: whose money pays for which vehicle, how far, and who may ask."""

from datetime import tzinfo
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from internetcar.contract.message import Name
from internetcar.contract.payments import Purpose
from internetcar.contract.presence import Origin
from internetcar.contract.signature import read_public_key
from services.payments.agreements import Account, Agreements
from services.payments.currencies import read_amount
from services.payments.limits import Terms
from services.settings import ServiceSettings, service_config

SERVICE = "payments"


class AccountSettings(BaseModel):
    """One account: a driver's money."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vehicles: list[Name] = Field(
        default_factory=list, description="the vehicles it pays for; each belongs to one account"
    )
    origins: list[Origin] = Field(
        default=["live"],
        description="whose drives cost money; only a demonstration takes `simulation`",
    )
    credit: list[str] = Field(
        default_factory=list,
        description='how far below 0 it may go, as ["50.00 SGD"]; empty: prepaid',
    )
    day_limits: dict[Purpose, list[str]] = Field(
        default_factory=dict,
        description='what one day may cost for a purpose, as {toll = ["30.00 SGD"]}; a limited'
        " purpose costs nothing in other currencies",
    )
    time_zone: str = Field(default="UTC", description="whose days those are, as Asia/Singapore")

    @field_validator("credit")
    @classmethod
    def _is_money(cls, credit: list[str]) -> list[str]:
        _amounts(credit)
        return credit

    @field_validator("day_limits")
    @classmethod
    def _are_money(cls, limits: dict[Purpose, list[str]]) -> dict[Purpose, list[str]]:
        for amounts in limits.values():
            _amounts(amounts)
        return limits

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        _zone(name)
        return name

    def terms(self) -> Terms:
        """What they mean for the rules."""
        return Terms(
            _amounts(self.credit),
            {purpose: _amounts(amounts) for purpose, amounts in self.day_limits.items()},
            _zone(self.time_zone),
        )


class PaymentsSettings(ServiceSettings):
    """All settings of payments; nothing in them can be said by a vehicle."""

    model_config = service_config(SERVICE)

    accounts: dict[Name, AccountSettings] = Field(
        default_factory=dict, description="by name; one [accounts.NAME] section each"
    )
    requesters: dict[Name, list[Purpose]] = Field(
        default_factory=dict,
        description='who may ask for what, as {pump = ["fuel"]}; nobody else may ask. Toll charges'
        " come on a topic of their own and need none",
    )
    toll_keys: dict[str, str] = Field(
        default_factory=dict,
        description="Ed25519 public keys of toll services, base64, by key id, as `car tolls key`"
        " prints them; no other toll charge is paid",
    )
    unsigned_tolls: bool = Field(
        default=False,
        description="without toll_keys: pay toll charges that nobody has signed, on the word of the"
        " broker's access rules alone",
    )

    @field_validator("toll_keys")
    @classmethod
    def _are_keys(cls, keys: dict[str, str]) -> dict[str, str]:
        for text in keys.values():
            read_public_key(text)
        return keys

    @model_validator(mode="after")
    def _each_vehicle_has_one_account(self) -> "PaymentsSettings":
        seen: dict[str, str] = {}
        for name, account in self.accounts.items():
            for vehicle_id in account.vehicles:
                if seen.setdefault(vehicle_id, name) != name:
                    raise ValueError(
                        f"accounts: {vehicle_id} belongs to {seen[vehicle_id]} and to {name}"
                    )
        return self

    def agreements(self) -> Agreements:
        """What they mean for the rules."""
        return Agreements(
            {
                name: Account(name, frozenset(each.vehicles), frozenset(each.origins), each.terms())
                for name, each in self.accounts.items()
            },
            {name: frozenset(purposes) for name, purposes in self.requesters.items()},
            {name: read_public_key(text) for name, text in self.toll_keys.items()},
            self.unsigned_tolls and not self.toll_keys,
        )


def _amounts(texts: list[str]) -> dict[str, int]:
    """Minor units by currency.

    Raises:
        ValueError: A text is no amount, or a currency stands twice.
    """
    found: dict[str, int] = {}
    for text in texts:
        amount_minor, currency = read_amount(text)
        if found.setdefault(currency, amount_minor) != amount_minor:
            raise ValueError(f"{text!r}: {currency} stands twice")
    return found


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r}: write a time zone like Asia/Singapore") from error
