"""From telemetry to money, on both databases, without a broker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from services.database import insert_new
from services.tables import quarantine
from services.tolls.passages.charging import RETRY_MS
from services.tolls.passages.watching import Watch
from services.tolls.tables import toll_vehicle
from tests.toll_stand import DAY_MS, START, Drive, Stand, context


@pytest.fixture
def stand(store_url: str) -> Iterator[Stand]:
    each = Stand(store_url)
    yield each
    each.close()


def test_a_passage_is_charged_once_and_said_with_its_fee_in_words(stand: Stand) -> None:
    stand.drive(Drive().until(1_500))
    assert stand.bank.net() == {"g1": 100}
    (charge,) = stand.bank.charges.values()
    assert (charge.kind, charge.operator, charge.currency) == ("charge", "lta", "SGD")
    assert charge.context_version == "2026.1"
    said = stand.passages[-1]
    assert (said.state, said.fee_minor, said.crossing.label) == ("proven", 100, "Gate g1")
    assert any("1.00" in line for line in said.words)
    assert stand.entry("g1").account.movements[0].state == "posted"


def test_the_dearest_of_the_group_is_paid_and_the_difference_goes_back(stand: Stand) -> None:
    drive = Drive()
    stand.drive(drive.until(1_500))
    stand.drive(drive.until(2_500))
    stand.drive(drive.until(3_500))
    net = stand.bank.net()
    assert sum(net.values()) == 300
    assert {c.kind for c in stand.bank.charges.values() if c.crossing.gate == "g1"} <= {
        "charge", "refund",
    }  # fmt: skip


def test_what_was_said_twice_or_while_we_were_away_is_charged_once(stand: Stand) -> None:
    batches = Drive().until(3_500)
    for batch in batches:
        stand.drive([batch, batch], pumps=False)
        stand.restart()
    stand.drive(batches)
    stand.pump()
    assert sum(stand.bank.net().values()) == 300
    assert len(stand.entries()) == 3


def test_any_order_of_batches_comes_to_the_same_statement(stand: Stand, tmp_path: Path) -> None:
    first, *rest = Drive().until(3_500)
    stand.drive([first, *reversed(rest)])
    straight = Stand(str(tmp_path / "straight.sqlite"))
    straight.drive(Drive().until(3_500))
    assert stand.statement() == straight.statement()
    assert sum(stand.bank.net().values()) == 300
    straight.close()


def test_later_evidence_revises_the_passage_under_its_id(stand: Stand) -> None:
    drive = Drive()
    stand.drive(drive.until(4_200))
    before = stand.entry("late")
    assert before.account.state == "unresolved"
    assert "late" not in stand.bank.net()
    stand.drive(drive.until(4_800))
    after = stand.entry("late")
    assert (after.passage_id, after.account.state) == (before.passage_id, "proven")
    assert after.revision == before.revision + 1
    assert stand.bank.net()["late"] == 40
    revisions = [p.revision for p in stand.passages if p.passage_id == after.passage_id]
    assert revisions == [1, 2]


def test_what_cannot_be_proven_costs_nothing_and_is_free_after_an_hour(stand: Stand) -> None:
    drive = Drive(step_m=500)
    stand.drive(drive.until(5_500))
    stand.drive([*drive.until(62_000), *drive.until(64_500)])
    assert stand.entry("vague").account.state == "unresolved"
    stand.drive(drive.until(65_500))
    entry = stand.entry("vague")
    assert entry.account.state == "free"
    assert "it is free" in entry.words[0]
    assert "vague" not in stand.bank.net()


@pytest.mark.parametrize("origin", ["recording", "simulation"])
def test_a_replay_onto_a_live_broker_charges_nothing_and_says_why(
    stand: Stand, origin: str
) -> None:
    stand.drive(Drive(origin=origin, clock="recorded").until(3_500))  # type: ignore[arg-type]  # a literal
    assert not stand.bank.charges
    assert not stand.declarations
    assert {passage.state for passage in stand.passages} == {"proven"}
    assert {passage.words[0] for passage in stand.passages} == {f"not charged: {origin}"}


def test_a_clock_that_runs_free_charges_nothing(stand: Stand) -> None:
    stand.drive(Drive(clock="free").until(1_500))
    assert not stand.bank.charges
    assert "clock" in stand.passages[-1].words[0]


def test_a_passage_in_a_gap_of_the_log_is_not_charged(stand: Stand) -> None:
    batches = Drive().until(4_000)
    for batch in (*batches[:9], *batches[11:]):  # g1 is crossed in the tenth
        stand.deliver(batch)
    for _ in range(3):
        stand.now_ms += 700_000
        stand.logs.turn()
    stand.pump()
    assert "g1" not in stand.bank.net()
    assert "gap" in stand.entry("g1").words[0]
    assert sum(stand.bank.net().values()) == 300


def test_money_that_is_refused_is_asked_for_again_after_an_hour_and_paid_once(
    stand: Stand,
) -> None:
    stand.bank.refuses = "insufficient_funds"
    stand.drive(Drive().until(1_500))
    stand.pump(30)
    assert len(stand.bank.charges) == 1
    assert stand.bank.net() == {}
    stand.now_ms += RETRY_MS
    stand.pump(3)
    assert len(stand.bank.charges) == 2
    stand.bank.refuses = None
    stand.now_ms += 2 * RETRY_MS
    stand.pump(3)
    stand.now_ms += 10 * DAY_MS
    stand.pump(3)
    assert len(stand.bank.charges) == 3
    assert stand.bank.net() == {"g1": 100}


def test_a_new_version_of_the_context_between_two_deliveries_keeps_the_id(store_url: str) -> None:
    stand = Stand(store_url)
    drive = Drive()
    stand.drive(drive.until(4_200))
    before = stand.entry("late")
    stand.contexts = (context(), context("2026.2"))
    stand.restart()
    stand.drive(drive.until(4_800))
    ids = [e.passage_id for e in stand.entries() if e.account.known.finding.gate == "late"]
    assert ids == [before.passage_id]
    assert stand.entry("late").facts.version == "2026.2"
    stand.close()


def test_another_price_in_a_new_version_moves_only_the_difference(store_url: str) -> None:
    stand = Stand(store_url)
    drive = Drive()
    stand.drive(drive.until(1_500))
    dearer = [{"bands": [["00:00", "24:00", "1.70"]]}]
    stand.contexts = (context(), context("2026.2", rates=dearer))
    stand.restart()
    stand.drive(drive.until(2_500))
    net, last = stand.bank.net(), list(stand.bank.charges.values())[-1]
    assert sum(net.values()) == 170
    assert last.context_version == "2026.2"
    assert len(stand.entries()) == 2
    stand.close()


def test_a_tariff_time_prices_the_drive_as_if_it_had_begun_then(store_url: str) -> None:
    rates = [
        {"bands": [["00:00", "24:00", "1.00"]]},
        {"bands": [["18:00", "19:00", "9.00"]]},
    ]
    at = START.replace(hour=18)
    stand = Stand(
        store_url, contexts=[context(rates=rates, groups=[])], origin="simulation", tariff_time=at
    )
    stand.drive(Drive(origin="simulation", clock="free").until(1_500))
    assert stand.bank.net() == {"g1": 900}
    assert stand.passages[-1].words == [
        "Fri 1 May 2026 18:01, car: 9.00 SGD (18:00–19:00)",  # noqa: RUF001
        "priced as if driven then",
    ]
    stand.close()


def test_raw_positions_are_forgotten_after_the_dispute_period_digest_and_words_stay(
    stand: Stand,
) -> None:
    stand.drive(Drive().until(1_500))
    before = stand.entry("g1")
    assert before.account.known.finding.evidence.fixes
    stand.now_ms += 91 * DAY_MS
    stand.pump(1)
    after = stand.entry("g1")
    assert after.are_positions_gone
    assert after.account.known.finding.evidence.fixes == ()
    assert (after.digest, after.words, after.revision) == (
        before.digest, before.words, before.revision,
    )  # fmt: skip
    assert after.account.known.finding.evidence.words


def test_a_drive_that_nobody_went_on_with_is_forgotten_too(stand: Stand) -> None:
    """Where the detection stands is made of places, and a car may never be driven again."""
    stand.drive(Drive().until(1_500))

    def state() -> str:
        with stand.database.read() as connection:
            return str(connection.execute(select(toll_vehicle.c.state)).scalar_one())

    assert Watch.model_validate_json(state()).running
    stand.now_ms += 89 * DAY_MS
    stand.pump(1)
    assert Watch.model_validate_json(state()).running
    stand.now_ms += 2 * DAY_MS
    stand.pump(1)
    kept = Watch.model_validate_json(state())
    assert (kept.running, kept.reading) == ({}, "")
    assert stand.bank.net() == {"g1": 100}
    stand.pump(1)
    assert state() == kept.model_dump_json()


def test_places_in_a_message_set_aside_are_forgotten_after_the_dispute_period(
    stand: Stand,
) -> None:
    with stand.database.begin() as connection:
        insert_new(
            connection, quarantine, digest="d", subject="car", topic="v1/vehicle/car/telemetry",
            payload=b"places", state="quarantined", deaths=3, kept_at_ms=stand.now_ms,
        )  # fmt: skip
    for days, kept in ((89, b"places"), (2, b"")):
        stand.now_ms += days * DAY_MS
        stand.pump(1)
        with stand.database.read() as connection:
            assert connection.execute(select(quarantine.c.payload)).scalar_one() == kept


def test_a_watch_of_another_format_begins_anew_and_the_drive_is_still_paid(stand: Stand) -> None:
    drive = Drive()
    stand.drive(drive.until(1_500))
    with stand.database.begin() as connection:
        connection.execute(update(toll_vehicle).values(state='{"epoch": "of another format"}'))
    stand.drive(drive.until(3_500))
    assert sum(stand.bank.net().values()) == 300
    with stand.database.read() as connection:
        watch = Watch.model_validate_json(
            connection.execute(select(toll_vehicle.c.state)).scalar_one()
        )
    assert watch.epoch > 1
