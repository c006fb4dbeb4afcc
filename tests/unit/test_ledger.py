"""What is said of commands, and what is remembered of them."""

from gateway.ledger import MOST_RECENT, Ledger, Outcome
from gateway.requests import Key, Request
from gateway.world import Moment

NOW = Moment(5, 1_700_000_000_000_000_000, is_trusted=True)


def request(name: str, *, has_id: bool = True, dry_run: bool = False) -> Request:
    return Request("phone", "Vehicle.X", name, 0, has_id=has_id, value=1, dry_run=dry_run)


def nothing(key: Key) -> Outcome | None:
    return None


def key(name: str) -> Key:
    return "phone", name


def test_reports_stand_in_their_order_with_what_was_said() -> None:
    ledger = Ledger(nothing)
    ledger.say(request("a"), "accepted", NOW, final=False)
    ledger.say(request("a"), "rejected", NOW, "bus", "off")
    first, second = ledger.reports
    assert (first.state, first.final, first.digest) == ("accepted", False, request("a").digest)
    assert (second.state, second.reason, second.detail, second.final) == (
        "rejected", "bus", "off", True,
    )  # fmt: skip
    assert {first.at_ns, second.at_ns} == {NOW.wall_ns}
    assert not first.is_repeated


def test_the_newest_state_of_an_id_is_remembered() -> None:
    ledger = Ledger(nothing)
    assert ledger.outcome(key("a")) is None
    ledger.say(request("a"), "accepted", NOW, final=False)
    ledger.say(request("a"), "rejected", NOW, "bus", "off")
    outcome = Outcome(request("a").digest, "rejected", True, "bus", "off")
    assert ledger.outcome(key("a")) == outcome
    ledger.repeat(request("a"), outcome, NOW)
    repeated = ledger.reports[-1]
    assert (repeated.state, repeated.reason, repeated.is_repeated) == ("rejected", "bus", True)
    assert repeated.digest is None


def test_nothing_is_remembered_without_an_id_of_a_dry_run_or_of_what_is_not_new() -> None:
    ledger = Ledger(nothing)
    ledger.say(request("a", has_id=False), "accepted", NOW)
    ledger.say(request("b", dry_run=True), "checked", NOW)
    ledger.say(request("c"), "rejected", NOW, "id_conflict", is_new=False)
    assert [ledger.outcome(key(name)) for name in "abc"] == [None] * 3
    assert {report.digest for report in ledger.reports} == {None}


def test_what_is_not_in_memory_is_asked_of_the_disk() -> None:
    stored = Outcome("digest", "confirmed", final=True)
    ledger = Ledger({key("a"): stored}.get)
    assert ledger.outcome(key("a")) is stored
    ledger.say(request("a"), "timeout", NOW, "restarted")
    assert ledger.outcome(key("a")) != stored


def test_memory_is_bounded_and_the_oldest_that_ended_goes_first() -> None:
    ledger = Ledger(nothing)
    ledger.say(request("open"), "accepted", NOW, final=False)
    for number in range(MOST_RECENT):
        ledger.say(request(f"c{number}"), "rejected", NOW, "bus")
    known = [ledger.outcome(key(name)) is not None for name in ("open", "c0", "c1")]
    assert known == [True, False, True]
    ledger.say(request("c1"), "rejected", NOW, "bus")  # the newest again
    ledger.say(request("more"), "rejected", NOW, "bus")
    known = [ledger.outcome(key(name)) is not None for name in ("open", "c1", "c2")]
    assert known == [True, True, False]


def test_commands_without_an_end_are_all_remembered() -> None:
    ledger = Ledger(nothing)
    for number in range(MOST_RECENT + 5):
        ledger.say(request(f"c{number}"), "accepted", NOW, final=False)
    assert all(ledger.outcome(key(f"c{number}")) for number in range(MOST_RECENT + 5))
