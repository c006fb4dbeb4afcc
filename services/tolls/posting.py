"""Findings and answers become passages, money and messages, within one transaction."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, select

from internetcar.contract.message import milliseconds
from services.outgoing import enqueue
from services.tolls import store, verdicts
from services.tolls.facts import Finding, Passage
from services.tolls.passages.charging import asked_minor, next_movement, retry_at_ms
from services.tolls.passages.entry import Entry
from services.tolls.passages.matching import Known, derived_id, take
from services.tolls.passages.reckoning import (
    Account,
    Reckoned,
    Rules,
    Unpriced,
    instant,
    reckon,
    with_movement,
)
from services.tolls.passages.records import (
    GateFacts,
    charge_message,
    declaration_message,
    evidence_digest,
    kept_record,
    passage_message,
)
from services.tolls.passages.watching import Found
from services.tolls.tables import toll_passage
from services.tolls.tariff.context import Context, at
from services.tolls.tariff.fees import Fee, around, fees, window
from services.tolls.tariff.prices import VehicleError
from services.tolls.tariff.vehicle import VehicleFacts

SHIFTED = "priced as if driven then"
"""Of a fee at another time than the drive's: it is the time that the fee's own words name."""

Moment = tuple[str, int, int]
"""Of a passage: its context, when it was crossed (UTC ms), and by how much that is shifted."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What money is asked by.

    Attributes:
        contexts: The versions of each context.
        facts_of: What is known of a vehicle now.
        key: Signs what is asked for.
        declares: Whether passages are declared to their operators.
        pays_dearer: Whether more than the fee is paid on an operator's word alone.
    """

    contexts: Mapping[str, Sequence[Context]]
    facts_of: Callable[[str], VehicleFacts]
    key: Ed25519PrivateKey
    declares: bool = True
    pays_dearer: bool = False


class Poster:
    """Writes what was found and learned, and says what follows from it.

    The caller holds the vehicle's row; all is done in its transaction.

    Attributes:
        contexts: Those in use: passages of others are left alone.
    """

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self.contexts = tuple(terms.contexts)

    def record(self, connection: Connection, found: Iterable[Found], now_ms: int) -> None:
        """Take findings of one vehicle in their order, and reckon what they touch."""
        changed: set[str] = set()
        moments: list[Moment] = []
        vehicle_id = ""
        for each in found:
            vehicle_id = each.place.vehicle_id
            kept = store.near(connection, each.place, each.finding)
            by_id = {known.passage_id: known for known in kept}
            known = take(
                each.finding, each.place, [entry.account.known for entry in kept],
                store.ordinals(connection, each.place, each.finding.gate),
            )  # fmt: skip
            before = by_id.get(known.passage_id)
            if before is not None and before.account.known is known:
                continue
            entry = self._entry(known, before, each)
            if before is not None:
                moments.append(moment_of(before))
            store.write(connection, entry, None)
            changed.add(entry.passage_id)
            moments.append(moment_of(entry))
        self.reckon(connection, vehicle_id, moments, now_ms, changed)

    def _entry(self, known: Known, before: Entry | None, found: Found) -> Entry:
        finding = known.finding
        versions = self._terms.contexts[known.place.context]
        tariff_at = instant(finding.crossed_at_ms + found.shift_ms)
        facts = _gate_facts(at(versions, tariff_at) or versions[-1], finding)
        digest = evidence_digest(finding)
        if before is None:
            account = Account(known, found.bar, shift_ms=found.shift_ms)
            vehicle = self._terms.facts_of(known.place.vehicle_id)
            return Entry(account, facts, digest, vehicle=vehicle)
        account = replace(before.account, known=known, bar=found.bar, shift_ms=found.shift_ms)
        return replace(
            before, account=account, facts=facts, digest=digest, are_positions_gone=False
        )

    def expire(self, connection: Connection, vehicle_id: str, until_ms: int, now_ms: int) -> None:
        """What is unresolved and was crossed up to then is free."""
        unresolved = select(toll_passage).where(
            toll_passage.c.vehicle_id == vehicle_id,
            toll_passage.c.state == "unresolved",
            toll_passage.c.crossed_at_ms <= until_ms,
        )
        kept = store.entries(connection, unresolved)
        for each in kept:
            freed = replace(each, account=replace(each.account, is_free=True))
            store.write(connection, freed, None)
        changed = {each.passage_id for each in kept}
        self.reckon(connection, vehicle_id, map(moment_of, kept), now_ms, changed)

    def reckon(
        self,
        connection: Connection,
        vehicle_id: str,
        moments: Iterable[Moment],
        now_ms: int,
        changed: Iterable[str] = (),
    ) -> None:
        """Reckon anew all that is reckoned together with passages, and post the differences.

        Args:
            connection: Of the transaction.
            vehicle_id: Whose.
            moments: Of the passages; those of a context that is not in use are left alone.
            now_ms: UTC milliseconds.
            changed: Passages that are said again even if they cost the same.
        """
        windows: dict[tuple[str, str, int], Moment] = {}
        for moment in moments:
            if moment[0] in self._terms.contexts:
                windows.setdefault((moment[0], self._window(moment), moment[2]), moment)
        changed = frozenset(changed)
        for moment in windows.values():
            self._reckon(connection, vehicle_id, moment, now_ms, changed)

    def _window(self, moment: Moment) -> str:
        """What a passage is reckoned together with, by the versions there are now."""
        context, crossed_at_ms, shift_ms = moment
        return window(instant(crossed_at_ms + shift_ms), self._terms.contexts[context])

    def _together(self, connection: Connection, vehicle_id: str, moment: Moment) -> list[Entry]:
        """All passages of the window of one."""
        context, crossed_at_ms, shift_ms = moment
        times = around(instant(crossed_at_ms + shift_ms), self._terms.contexts[context])
        times_ms = times and (
            min(milliseconds(times[0]) - shift_ms, crossed_at_ms),
            max(milliseconds(times[1]) - shift_ms, crossed_at_ms),
        )
        near = store.in_time(connection, vehicle_id, context, shift_ms, times_ms)
        name = self._window(moment)
        return [self._as_of_now(each) for each in near if self._window(moment_of(each)) == name]

    def _reckon(
        self,
        connection: Connection,
        vehicle_id: str,
        moment: Moment,
        now_ms: int,
        changed: Container[str],
    ) -> None:
        context, _, shift_ms = moment
        kept = self._together(connection, vehicle_id, moment)
        if not kept:
            return
        rules = Rules(
            fees=self._fees(context, {each.passage_id: each.vehicle for each in kept}),
            exceptions=verdicts.exceptions_of(connection, kept[0].facts.operator, vehicle_id),
            pays_dearer=self._terms.pays_dearer,
            words=(SHIFTED,) if shift_ms else (),
        )
        reckoned = reckon([each.account for each in kept], rules)
        for each in kept:
            is_changed = each.passage_id in changed
            self._post(connection, each, reckoned[each.passage_id], now_ms, is_changed=is_changed)

    def _as_of_now(self, kept: Entry) -> Entry:
        """The entry with the version and the facts that it is reckoned by from here on."""
        versions = self._terms.contexts[kept.facts.context]
        tariff_at = instant(kept.account.known.finding.crossed_at_ms + kept.account.shift_ms)
        version = (at(versions, tariff_at) or versions[-1]).version
        vehicle = kept.vehicle.completed(self._terms.facts_of(kept.account.known.place.vehicle_id))
        return replace(kept, facts=replace(kept.facts, version=version), vehicle=vehicle)

    def _fees(
        self, context: str, vehicles: Mapping[str, VehicleFacts]
    ) -> Callable[[Sequence[Passage]], Sequence[Fee | Unpriced]]:
        versions = self._terms.contexts[context]

        def price(passages: Sequence[Passage]) -> Sequence[Fee | Unpriced]:
            by_version: dict[Context | None, list[Passage]] = {}
            for passage in passages:
                version = at(versions, passage.crossed_at)
                by_version.setdefault(version, []).append(passage)
            return [fee for some in by_version.values() for fee in price_or_say_why(some)]

        def price_or_say_why(passages: Sequence[Passage]) -> Sequence[Fee | Unpriced]:
            try:
                return fees(passages, versions, vehicles)
            except VehicleError as error:
                words = (f"not priced: {error}",)
                return [Unpriced(passage.passage_id, words) for passage in passages]

        return price

    def _post(
        self, connection: Connection, kept: Entry, reckoned: Reckoned, now_ms: int, *,
        is_changed: bool,
    ) -> None:  # fmt: skip
        """Ask for the difference, declare, and say the passage, as far as anything is new."""
        account, owed = kept.account, reckoned.owed
        movement = next_movement(kept.passage_id, account.movements, owed.amount_minor, now_ms)
        if movement is not None:
            charge = charge_message(
                account, movement, reckoned, kept.facts, kept.digest, self._terms.key
            )
            store.add_movement(connection, kept.passage_id, movement, kept_record(charge))
            enqueue(connection, charge, message_id=movement.charge_id, awaits=movement.charge_id)
            account = with_movement(account, movement)
        self._declare(connection, kept, reckoned)
        is_news = is_changed or (kept.fee_minor, kept.words) != (owed.amount_minor, owed.words)
        said = replace(
            kept, account=account, revision=kept.revision + is_news,
            fee_minor=owed.amount_minor, words=owed.words,
        )  # fmt: skip
        if is_news:
            message = passage_message(account, reckoned, said.facts, said.revision, instant(now_ms))
            enqueue(connection, message, message_id=f"{said.passage_id}.{said.revision}")
        if is_news or (account.movements and account.movements[-1].state != "posted"):
            is_settled = asked_minor(account.movements) == owed.amount_minor
            store.write(connection, said, None if is_settled else retry_at_ms(account.movements))

    def _declare(self, connection: Connection, kept: Entry, reckoned: Reckoned) -> None:
        """Declare the fee to the operator where it is not the one declared; one at a time."""
        if not reckoned.is_priced:
            return
        last = kept.declared[-1] if kept.declared else None
        fee_minor = reckoned.fee_minor
        if fee_minor is None:
            is_rejected = any(each.verdict == "rejected" for each in kept.account.billings)
            if last is None or is_rejected:
                return
            fee_minor = 0
        if not self._terms.declares or (
            last and (last.fee_minor == fee_minor or not last.is_answered)
        ):
            return
        declaration_id = derived_id("d", kept.passage_id, len(kept.declared) + 1)
        declaration = declaration_message(
            kept.account, declaration_id, fee_minor, kept.facts, kept.digest,
            kept.vehicle.kind, self._terms.key,
        )  # fmt: skip
        verdicts.add_declaration(connection, declaration_id, kept, fee_minor)
        enqueue(connection, declaration, message_id=declaration_id, awaits=declaration_id)


def moment_of(kept: Entry) -> Moment:
    """When a passage was, for which context."""
    known = kept.account.known
    return known.place.context, known.finding.crossed_at_ms, kept.account.shift_ms


def _gate_facts(context: Context, finding: Finding) -> GateFacts:
    gate = context.by_id.get(finding.gate)
    return GateFacts(
        context=context.id,
        version=context.version,
        operator=context.operator.id,
        currency=context.currency.code,
        label=gate.label if gate else finding.gate,
        names=(gate.station,) if gate and gate.station else (),
    )
