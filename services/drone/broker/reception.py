"""Takes requests in: what was asked before gets the same answer, what may be asked is let on."""

import logging
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from internetcar.contract.drone import DroneReply, DroneRequest
from internetcar.contract.message import ContractError
from services.database_errors import StoreError
from services.drone.broker.requests import (
    Allow,
    Refusal,
    Unreadable,
    digest,
    forbidden,
    read,
    refused,
    right_of,
    sender_of,
    untimely,
)
from services.drone.events import Asked
from services.drone.moment import Moment
from services.drone.store import Answer, Store

log = logging.getLogger(__name__)

_REMEMBERED = 1_000
"""Answers kept in memory: asked again within a flight, they cost no look at the disk."""

_NO_STORE = Refusal("store", "the service cannot read or write its store; only stop and return")
_RESTARTED = Refusal("restarted", "the service was started again before it had answered")
_CONFLICT = Refusal("id_conflict", "this tid was used for another request: take a new one")

Key = tuple[str, str]
"""Requester and tid."""


@dataclass(frozen=True, slots=True)
class _Known:
    digest: str
    reply: DroneReply | None
    """`None`: it is being answered."""


class Reception:
    """Stands before the pilot.

    Args:
        store: Where answers are kept for ever.
        allow: Who may ask for what.
    """

    def __init__(self, store: Store, allow: Allow) -> None:
        self._store = store
        self._allow = allow
        self._known: OrderedDict[Key, _Known] = OrderedDict()
        self._unsaved: list[Answer] = []

    @property
    def requesters(self) -> Collection[str]:
        """Who may ask for something."""
        return self._allow.keys()

    def receive(
        self, topic: str, payload: bytes, now: Moment, *, retained: bool
    ) -> Asked | DroneReply | None:
        """What becomes of a packet: let on, answered, or (`None`) dropped."""
        if not payload:  # somebody cleared a topic that had been retained
            return None
        found = read(topic, payload, retained=retained)
        if not isinstance(found, Unreadable):
            return self._judge(found, now)
        if found.sender is None:
            log.warning("dropped: a request of nobody (%s)", found.refusal.reason)
            return None
        return refused(found.sender, found.refusal, now.utc_ms)

    def _judge(self, request: DroneRequest, now: Moment) -> Asked | DroneReply | None:
        """What becomes of a request: let on, answered, or (`None`) it is being answered."""
        key, seen = (request.requester, request.tid), digest(request)
        try:
            known = self._lookup(request)
        except StoreError as error:
            log.warning("%s", error)
            return self._without_store(request, seen, now)
        if known is not None:
            if known.digest != seen:
                return self._refuse(request, _CONFLICT, now)
            return known.reply
        if refusal := forbidden(request, self._allow):
            return self._refuse(request, refusal, now)
        if refusal := untimely(request, now.utc_ms):
            reply = self._refuse(request, refusal, now)
            self._keep(key, seen, reply, is_dry=request.dry_run)
            return reply
        if request.dry_run:
            return Asked(request)
        try:
            self._store.reserve(*key, seen, now.utc_ms)
        except StoreError as error:
            log.warning("%s", error)
            return self._without_store(request, seen, now)
        self._remember(key, _Known(seen, None))
        return Asked(request)

    def answered(self, reply: DroneReply) -> None:
        """Keep the pilot's answer; the answer to a dry run is not kept."""
        key = (reply.requester, reply.tid or "")
        known = self._known.get(key)
        if known is not None and known.reply is None:
            self._keep(key, known.digest, reply, is_dry=reply.data.output.dry_run)

    def unsaved(self) -> list[Answer]:
        """Answers that are not on disk yet."""
        return list(self._unsaved)

    def saved(self, answers: list[Answer]) -> None:
        """Those are on disk now."""
        self._unsaved = self._unsaved[len(answers) :]

    def _lookup(self, request: DroneRequest) -> _Known | None:
        key = (request.requester, request.tid)
        if (known := self._known.get(key)) is not None:
            return known
        kept = self._store.kept(*key)
        if kept is None:
            return None
        if kept.reply is None:
            reply = refused(sender_of(request), _RESTARTED, kept_at(request))
        else:
            reply = _stored(request, kept.reply)
        known = _Known(kept.digest, reply)
        self._remember(key, known)
        return known

    def _without_store(
        self, request: DroneRequest, seen: str, now: Moment
    ) -> Asked | DroneReply | None:
        """Nobody knows whether it is new: what ends a flight goes on all the same."""
        refusal = forbidden(request, self._allow) or untimely(request, now.utc_ms)
        if refusal is None and right_of(request) in ("stop", "return"):
            self._remember((request.requester, request.tid), _Known(seen, None))
            return Asked(request)
        return self._refuse(request, refusal or _NO_STORE, now)

    def _refuse(self, request: DroneRequest, refusal: Refusal, now: Moment) -> DroneReply:
        return refused(sender_of(request), refusal, now.utc_ms, dry_run=request.dry_run)

    def _keep(self, key: Key, seen: str, reply: DroneReply, *, is_dry: bool) -> None:
        if is_dry:
            return
        self._remember(key, _Known(seen, reply))
        self._unsaved.append(Answer(*key, seen, reply.encode()))

    def _remember(self, key: Key, known: _Known) -> None:
        self._known[key] = known
        self._known.move_to_end(key)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


def kept_at(request: DroneRequest) -> int:
    """When an answer that was never given is said to be from: the same at each repetition."""
    return request.timestamp


def _stored(request: DroneRequest, payload: bytes) -> DroneReply:
    topic = refused(sender_of(request), _RESTARTED, 0).topic
    try:
        return DroneReply.decode(topic, payload)
    except ContractError as error:
        raise StoreError(f"an answer of {request.requester} cannot be read: {error}") from error
