"""What the commands of `car wallet` are told, and the store they work on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import typer

from internetcar.contract.message import InputError, instant
from internetcar.launcher.options import instant_ns
from internetcar.launcher.service_settings import settings_for
from services.database import Database, open_existing
from services.payments.history import is_owner
from services.payments.limits import Terms
from services.payments.settings import SERVICE, PaymentsSettings
from services.payments.store import open_store
from services.payments.tables import VERSION
from services.settings import store_url

StoreOption = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="URL",
        help="The wallet's store, a file or postgresql://…; else INTERNETCAR_PAYMENTS_STORE, else"
        " what the settings say, else the `car up` that runs here, else the default state folder.",
    ),
]
SettingsOption = Annotated[
    str, typer.Option("--settings", metavar="FILE", help="The settings of payments.")
]
AccountArgument = Annotated[
    str, typer.Argument(help="An account, or operator:NAME.", metavar="ACCOUNT")
]
AmountArgument = Annotated[str, typer.Argument(help='As "20.00 SGD".', metavar="AMOUNT")]
WayOption = Annotated[
    str, typer.Option("--way", help="How it changed hands: cash or transfer.", metavar="WAY")
]
ReferenceOption = Annotated[
    str,
    typer.Option(
        "--reference",
        help="What its receipt or the bank's statement calls it; the same one counts once.",
    ),
]
ByOption = Annotated[str, typer.Option("--by", help="Who has seen the money change hands.")]
FeeOption = Annotated[
    str, typer.Option("--fee", metavar="AMOUNT", help="What the wallet keeps of it.")
]

_DEFAULT_PERIOD = timedelta(days=31)


@dataclass(frozen=True)
class Desk:
    """An opened store and the settings that go with it."""

    database: Database
    settings: PaymentsSettings

    def terms(self, owner: str) -> Terms:
        """What was agreed for an owner; prepaid where the settings are not given."""
        return self.settings.agreements().terms(owner)

    def known(self, owner: str) -> str:
        """An owner that the settings name or that has had money.

        Raises:
            InputError: It is neither.
        """
        if owner.isprintable():  # else no database takes the text
            with self.database.read() as connection:
                if owner in self.settings.accounts or is_owner(connection, owner):
                    return owner
        raise InputError(f"{owner!r}: no such account; `car wallet accounts` names them")


@contextmanager
def opened(store: str, settings: str, *, may_create: bool = False) -> Iterator[Desk]:
    """The wallet's store as the options, the environment or the settings name it.

    Raises:
        InputError: There is none, or it cannot be used.
    """
    read = settings_for(PaymentsSettings, SERVICE, settings, store)
    url = store_url(read, SERVICE)
    database = open_store(url) if may_create else open_existing(url, SERVICE, version=VERSION)
    try:
        yield Desk(database, read)
    finally:
        database.close()


def span(from_at: str, until_at: str, now: datetime) -> tuple[datetime, datetime]:
    """The time of a statement: what is named, else the last 31 days.

    Raises:
        InputError: One is no instant, or they are the wrong way round.
    """
    end = instant(instant_ns(until_at) // 1_000_000) if until_at else now
    start = instant(instant_ns(from_at) // 1_000_000) if from_at else end - _DEFAULT_PERIOD
    if start >= end:
        raise InputError("--from must lie before --until")
    return start, end
