"""A full disk: what cannot be written down is not sent, and the gateway runs on."""

from pathlib import Path

from gateway.actuation import Actuation
from gateway.audit import Audit
from gateway.outbox import StorageError
from tests.unit.commanded import FAN, MODE, Bench, states
from tests.unit.test_audit import report, rows, wait
from tests.unit.test_outbox_full_disk import fill, small_disk

__all__ = ["small_disk"]


def test_on_a_full_disk_an_accepted_command_is_rejected_and_nothing_is_sent(
    small_disk: Path,
) -> None:
    audit = Audit(small_disk / "commands.db")
    audit.start()
    bench = Bench()
    bench.actuation = Actuation(bench.world, audit.outcome, 1000.0)
    bench.use()
    filler = fill(small_disk)
    [accepted] = bench.give(MODE, "ECO")
    audit.append(accepted)
    wait(lambda: audit.unwritten)
    assert (audit.is_failing, list(audit.written)) == (True, [])
    key = audit.unwritten.popleft()
    bench.actuation.failed(key, bench.moment)
    [rejected] = bench.actuation.take_reports()
    assert (rejected.state, rejected.reason, rejected.final) == ("rejected", "audit", True)
    audit.append(rejected)
    bench.durable()
    assert bench.world.sent == []
    [again] = bench.give(MODE, "ECO")
    assert (again.state, again.is_repeated) == ("rejected", True)

    filler.unlink()
    bench.now_ns += 10**9
    [accepted] = bench.give(FAN, 20, "c2")
    audit.append(accepted)
    wait(lambda: audit.written)
    assert not audit.is_failing
    assert states(bench.durable("c2")) == ["sent"]
    assert len(bench.world.sent) == 1
    audit.close()
    written = rows(small_disk / "commands.db")
    assert written == [("c1", "rejected", "audit"), ("c2", "accepted", None)]
    assert audit.lost == 0


def test_while_the_disk_is_full_memory_is_bounded_and_the_loss_is_counted(small_disk: Path) -> None:
    audit = Audit(small_disk / "commands.db")
    audit.start()
    filler = fill(small_disk)
    audit.append(report("first", "accepted"))
    wait(lambda: audit.unwritten)
    for number in range(1500):
        audit.append(report(f"c{number}", "accepted" if number % 3 == 0 else "rejected"))
    assert audit.lost >= 400
    wait(lambda: len(audit.unwritten) == 501)
    filler.unlink()
    audit.append(report("last", "accepted"))
    wait(lambda: audit.written)
    audit.close()
    names = [name for name, _, _ in rows(small_disk / "commands.db")]
    assert names[-1] == "last"
    assert "c0" not in names
    assert "c1499" in names


def test_a_full_disk_does_not_keep_the_gateway_from_ending(small_disk: Path) -> None:
    audit = Audit(small_disk / "commands.db")
    audit.start()
    fill(small_disk)
    audit.append(report("a", "rejected"))
    audit.close()
    assert audit.lost == 1


def test_a_disk_that_is_full_at_the_start_is_a_clear_error(small_disk: Path) -> None:
    fill(small_disk)
    try:
        Audit(small_disk / "commands.db")
    except StorageError as error:
        assert "cannot be written" in str(error)
    else:
        raise AssertionError("it was opened on a full disk")
