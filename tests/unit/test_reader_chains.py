"""Journals that were missed one after another are asked for one after another, the last first."""

from gateway.telemetry import Previous
from internetcar.contract.reader import TelemetryReader
from tests.unit.test_reader import Service, journal

COUNT = 3
JOURNALS = 40


def test_a_long_chain_of_missed_journals_is_followed_before_the_patience_ends() -> None:
    """Each answer names a journal more, so the next request does not wait as after a failure."""
    logs = [
        journal(f"j{n}", COUNT, previous=Previous(f"j{n - 1}", COUNT) if n else None, start_s=9 * n)
        for n in range(JOURNALS)
    ]
    history = {batch.journal: log for log in logs for batch in log}
    service = Service()
    service.take(*logs[0])
    service.take(logs[-1][-1])
    asked = 0
    while len(service.applied) < JOURNALS * COUNT and service.now_s < 3600:
        service.wait(1.0)
        for name, first, last in service.asked[asked:]:
            asked += 1
            service.take(*history[name][first - 1 : last])
    assert service.applied == [(batch.journal, batch.sequence) for log in logs for batch in log]
    assert not service.gaps


def test_the_same_hole_is_asked_for_ever_more_seldom() -> None:
    reader = TelemetryReader("tolls")
    log = journal("j0", 5)
    position = reader.accept(log[0], None, 0.0).position
    reader.accept(log[2], position, 0.0)
    asked = [now for now in range(200) if reader.due("kona", position, float(now)).request]
    assert asked == [2, 7, 17, 37, 77, 137, 197]
