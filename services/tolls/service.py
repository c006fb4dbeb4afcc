"""The toll service: telemetry in; passages, charges and declarations out."""

import logging
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from internetcar.contract.payments import PaymentResult
from internetcar.contract.tolls import BillingDetails, ExceptionList
from services.runner import Runner, run_service
from services.settings import load_settings, state_folder
from services.tolls.answers import Answers
from services.tolls.forgetting import Forgetting
from services.tolls.logs import Logs
from services.tolls.passages.detectors import Detectors, samples_of
from services.tolls.passages.watching import Watcher
from services.tolls.posting import Poster, Terms
from services.tolls.settings import SERVICE, TollSettings
from services.tolls.signing_key import load_or_make_key
from services.tolls.tables import TOLLS, VERSION
from services.tolls.tariff.context import Context, ContextError
from services.tolls.tariff.shipped import names, trusted_keys, verified_contexts

log = logging.getLogger(__name__)

_DAY_MS = 24 * 3_600_000


def by_id(contexts: Sequence[Context]) -> dict[str, tuple[Context, ...]]:
    """The versions of each context, the oldest first.

    Raises:
        ContextError: Two are one version, or take money over from each other in another currency.
    """
    found: dict[str, list[Context]] = {}
    for context in contexts:
        for other in found.setdefault(context.id, []):
            _refuse_clash(context, other)
        found[context.id].append(context)
    return {
        context_id: tuple(sorted(versions, key=lambda context: context.ordinal))
        for context_id, versions in found.items()
    }


def _refuse_clash(one: Context, other: Context) -> None:
    named = f"{one.id} {one.version}"
    if one.ordinal == other.ordinal:
        raise ContextError(f"{named} is named twice: name each version once")
    paid = (one.currency, one.operator.id), (other.currency, other.operator.id)
    last, other_last = one.valid_until or date.max, other.valid_until or date.max
    if paid[0] != paid[1] and one.valid_from <= other_last and other.valid_from <= last:
        raise ContextError(
            f"{named} and {other.version} hold on the same days with another currency or operator:"
            " end one before the other begins"
        )


def make_terms(settings: TollSettings) -> tuple[Terms, Watcher]:
    """What money is asked by, and what finds passages, as the settings want it.

    Raises:
        InputError: A context is none or not signed, or the key cannot be used.
    """
    trusted = {**trusted_keys(), **settings.trusted}
    contexts = by_id(verified_contexts(settings.contexts or names(), trusted))
    terms = Terms(
        contexts=contexts,
        facts_of=settings.facts_of,
        key=load_or_make_key(state_folder(settings, SERVICE)),
        declares=settings.declares,
        pays_dearer=settings.pays_dearer,
    )
    watcher = Watcher(
        contexts=contexts,
        detector_of=Detectors().of,
        samples_of=samples_of,
        origin=settings.origin,
        tariff_time=settings.tariff_time,
        warn=log.warning,
    )
    return terms, watcher


def build(runner: Runner, settings: TollSettings, terms: Terms, watcher: Watcher) -> None:
    """Give a runner the handlers of the toll service."""
    poster = Poster(terms)
    operators = frozenset(
        version.operator.id for versions in terms.contexts.values() for version in versions
    )
    answers = Answers(runner.database, poster, operators, _now_ms)
    logs = Logs(watcher, poster, _now_ms)
    dispute_ms = settings.dispute_days * _DAY_MS
    forgetting = Forgetting(runner.database, logs, dispute_ms, _now_ms)
    runner.read_logs(logs.apply, vehicles=settings.vehicles if settings.only_listed else None)
    runner.on(PaymentResult, answers.on_payment_result)
    runner.on(BillingDetails, answers.on_billing_details)
    runner.on(ExceptionList, answers.on_exception_list, is_dealt=False)
    runner.on_turn(answers.turn)
    runner.on_turn(forgetting.turn)


def main(path: Path | None) -> None:
    """Run the toll service until SIGTERM.

    Raises:
        InputError: A setting, a context, the store or the broker cannot be used; one line.
    """
    settings = load_settings(TollSettings, path)
    terms, watcher = make_terms(settings)
    for versions in terms.contexts.values():
        for context in versions:
            log.info("%s %s: %d gates", context.id, context.version, len(context.gates))
    run_service(
        SERVICE, settings, TOLLS, lambda runner: build(runner, settings, terms, watcher),
        version=VERSION,
    )  # fmt: skip


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
