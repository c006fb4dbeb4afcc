"""Erased bytes leave a service's files, also where somebody was in the way at first."""

from services.scrubbing import Scrubber


class Store:
    """A database that somebody reads, until it is free."""

    def __init__(self) -> None:
        self.is_free = False
        self.tries = 0

    def scrub(self) -> bool:
        self.tries += 1
        return self.is_free


def test_it_scrubs_when_it_is_asked_and_tries_again_a_minute_later() -> None:
    store, now_ms = Store(), 1_000_000
    scrubber = Scrubber(store, lambda: now_ms)  # type: ignore[arg-type]
    scrubber.turn()
    scrubber.turn()
    assert store.tries == 1, "a process before may have had no time for it"
    store.is_free = True
    now_ms += 60_000
    scrubber.turn()
    now_ms += 60_000
    scrubber.turn()
    assert store.tries == 2, "it is done"
    scrubber.ask()
    scrubber.turn()
    assert store.tries == 3
    store.is_free = False
    scrubber.ask()
    scrubber.turn()
    now_ms -= 3_600_000
    scrubber.turn()
    assert store.tries == 5, "the clock was set back"
