"""Accepted offers become commands; the car's own word on each becomes the answer."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

import orjson
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Row, and_, delete, select, update

from internetcar.contract.advice import SuggestedSetting
from internetcar.contract.commands import Command, CommandStatus
from internetcar.contract.message import instant
from internetcar.contract.recommendations import RecommendationAnswer
from internetcar.contract.trips import SettingValue
from services.database import Database, insert_new
from services.outgoing import enqueue
from services.recommendations import store
from services.recommendations.orders import (
    DRIVES,
    NO_ANSWER,
    NO_END,
    NOT_SETTABLE,
    WAITING,
    Order,
    Purpose,
    outcome,
    state_after,
    to_put_back,
)
from services.recommendations.replies import Answer
from services.recommendations.settable import may_set
from services.recommendations.settings import SERVICE
from services.recommendations.tables import asker, order
from services.tables import outgoing

log = logging.getLogger(__name__)

LIFETIME_MS = 30_000
"""A command that waited for longer moves no car."""
SILENCE_MS = 45_000
"""What has not come to its end by then counts as not applied."""
_EACH_MS, _OTHERS_EACH_MS = 1_000, 60_000
"""How often it is looked for what waits; what another replica left that is gone, less often."""
_BODY: TypeAdapter[tuple[SettingValue | None, SettingValue | None]] = TypeAdapter(
    tuple[SettingValue | None, SettingValue | None]
)


class Offered(NamedTuple):
    """An offer, as far as applying it goes."""

    vehicle_id: str
    offer_id: str
    driver: str
    kind: str


class Applying:
    """Sends what an accepted offer sets, and answers once the car has said what became of it.

    Args:
        database: With the service's tables.
        is_ours: Whether a vehicle is one of the settings.
        clock_ms: UTC milliseconds.
    """

    def __init__(
        self, database: Database, is_ours: Callable[[str], bool], clock_ms: Callable[[], int]
    ) -> None:
        self._database = database
        self._is_ours = is_ours
        self._clock_ms = clock_ms
        self._may_wait = True  # of a process before this one
        self._looked_ms = 0

    def order(
        self, connection: Connection, offered: Offered, settings: Iterable[SuggestedSetting]
    ) -> None:
        """Ask the car for each setting of an offer; what was asked for before is not again."""
        for each in settings:
            may = may_set(offered.kind, each.path, each.value)
            why_not = None if may else NOT_SETTABLE
            self._ask(connection, offered, "apply", each.path, each.value, each.now, why_not)

    def put_back(
        self,
        connection: Connection,
        offered: Offered,
        now: Mapping[str, SettingValue],
        *,
        stands: bool = True,
    ) -> None:
        """Ask the car for how it was before an offer was applied, as far as that is known.

        Args:
            connection: Of the transaction.
            offered: The offer.
            now: How settings stand; one that somebody has changed since is left alone.
            stands: The car does; else nothing is moved, and only climate is put back.
        """
        orders = self._orders(connection, offered.vehicle_id, offered.offer_id)
        waiting = [
            each.command_id for each in orders if each.purpose == "apply" and each.state in WAITING
        ]
        self._close(connection, offered.vehicle_id, waiting, "dropped", None)
        for each in to_put_back(orders, now):
            value = each.before
            assert value is not None
            why_not = None if may_set(offered.kind, each.path, value) else NOT_SETTABLE
            if not stands and not may_set("climate", each.path, value):
                why_not = DRIVES
            self._ask(connection, offered, "undo", each.path, value, None, why_not)

    def answer(
        self, connection: Connection, vehicle_id: str, offer_id: str, requester: str
    ) -> Answer | None:
        """What is answered to somebody; `None`: that is said once the car has said all."""
        answer = outcome(self._orders(connection, vehicle_id, offer_id))
        if answer is None:
            insert_new(
                connection, asker, vehicle_id=vehicle_id, offer_id=offer_id, requester=requester,
                kept_ms=self._clock_ms(),
            )  # fmt: skip
        return answer

    def on_status(self, message: CommandStatus) -> None:
        """Hear what became of a command; of another's, an unknown or an old one nothing comes."""
        if message.requester == SERVICE and message.id and self._is_ours(message.vehicle_id):
            self._database.run(partial(self._take, message))

    def turn(self) -> None:
        """Give up on what nobody has said the end of."""
        now_ms = self._clock_ms()
        each_ms = _EACH_MS if self._may_wait else _OTHERS_EACH_MS
        if self._looked_ms <= now_ms < self._looked_ms + each_ms:
            return
        self._looked_ms = now_ms
        wanted = select(order.c.vehicle_id).where(order.c.state.in_(WAITING)).distinct()
        with self._database.read() as connection:
            vehicles = sorted(connection.execute(wanted).scalars())
        self._may_wait = bool(vehicles)
        for vehicle_id in vehicles:
            self._database.run(partial(self._give_up, vehicle_id, now_ms))

    def _ask(
        self,
        connection: Connection,
        offered: Offered,
        purpose: Purpose,
        path: str,
        value: SettingValue,
        before: SettingValue | None,
        why_not: str | None,
    ) -> None:
        now_ms, may = self._clock_ms(), why_not is None
        vehicle_id, offer_id = offered.vehicle_id, offered.offer_id
        command_id = store.digest_of("order", vehicle_id, offer_id, purpose, path)[:32]
        is_new = insert_new(
            connection,
            order,
            vehicle_id=vehicle_id,
            command_id=command_id,
            offer_id=offer_id,
            driver=offered.driver,
            purpose=purpose,
            path=path,
            body=orjson.dumps([value, before] if may else [None, None]).decode(),
            state="open" if may else "failed",
            reason=why_not,
            ordered_ms=now_ms,
            kept_ms=now_ms,
        )
        if not (is_new and may):
            return
        command = Command(
            vehicle_id=vehicle_id,
            requester=SERVICE,
            path=path,
            id=command_id,
            value=value,
            expires_at=instant(now_ms + LIFETIME_MS),
        )
        enqueue(connection, command, message_id=_message_id(vehicle_id, command_id))
        self._may_wait = True
        log.info("%s: offer %s: %s is asked for", vehicle_id, offer_id, path)

    def _take(self, message: CommandStatus, connection: Connection) -> None:
        vehicle_id = message.vehicle_id
        this = and_(
            order.c.vehicle_id == vehicle_id,
            order.c.command_id == message.id,
            order.c.path == message.path,
            order.c.state.in_(WAITING),
        )
        if connection.execute(select(order.c.path).where(this)).first() is None:
            return
        store.standing(connection, vehicle_id)  # locked: nobody gives up on it meanwhile
        row = connection.execute(select(order).where(this)).first()
        if row is None:
            return
        state, reason = state_after(message)
        if state == "taken":
            connection.execute(update(order).where(this).values(state=state))
            return
        self._close(connection, vehicle_id, [row.command_id], state, reason)
        self._tell(connection, vehicle_id, row.offer_id)

    def _give_up(self, vehicle_id: str, now_ms: int, connection: Connection) -> None:
        store.standing(connection, vehicle_id)
        waits = and_(order.c.vehicle_id == vehicle_id, order.c.state.in_(WAITING))
        ahead = and_(waits, order.c.ordered_ms > now_ms)  # the clock was set back
        connection.execute(update(order).where(ahead).values(ordered_ms=now_ms))
        late = and_(waits, order.c.ordered_ms <= now_ms - SILENCE_MS)
        rows = connection.execute(select(order).where(late)).all()
        for row in rows:
            reason = NO_ANSWER if row.state == "open" else NO_END
            self._close(connection, vehicle_id, [row.command_id], "failed", reason)
        for offer_id in sorted({row.offer_id for row in rows}):
            self._tell(connection, vehicle_id, offer_id)

    def _close(
        self,
        connection: Connection,
        vehicle_id: str,
        command_ids: Collection[str],
        state: str,
        reason: str | None,
    ) -> None:
        """Orders have come to their end; a command that still waits to be sent never is."""
        these = and_(order.c.vehicle_id == vehicle_id, order.c.command_id.in_(command_ids))
        connection.execute(update(order).where(these).values(state=state, reason=reason))
        unsent = outgoing.c.id.in_([_message_id(vehicle_id, each) for each in command_ids])
        connection.execute(delete(outgoing).where(unsent))

    def _tell(self, connection: Connection, vehicle_id: str, offer_id: str) -> None:
        """Answer those who wait, once all of an offer has come to its end."""
        answer = outcome(self._orders(connection, vehicle_id, offer_id))
        if answer is None:
            return
        log.info("%s: offer %s: %s", vehicle_id, offer_id, answer.get("reason", "applied"))
        ours = and_(asker.c.vehicle_id == vehicle_id, asker.c.offer_id == offer_id)
        wanted = select(asker.c.requester).where(ours).order_by(asker.c.requester)
        for requester in list(connection.execute(wanted).scalars()):
            said = {"vehicle_id": vehicle_id, "requester": requester, "id": offer_id, **answer}
            enqueue(connection, RecommendationAnswer.model_validate(said))
        connection.execute(delete(asker).where(ours))

    def _orders(self, connection: Connection, vehicle_id: str, offer_id: str) -> list[Order]:
        ours = and_(order.c.vehicle_id == vehicle_id, order.c.offer_id == offer_id)
        wanted = select(order).where(ours).order_by(order.c.path, order.c.purpose)
        return [_read(row) for row in connection.execute(wanted)]


def _message_id(vehicle_id: str, command_id: str) -> str:
    return f"order:{vehicle_id}:{command_id}"


def _read(row: Row[Any]) -> Order:
    try:
        value, before = _BODY.validate_json(row.body)
    except ValidationError:
        value, before = None, None
    return Order(row.command_id, row.purpose, row.path, value, before, row.state, row.reason)
