"""One loop: who is called back when, and what an error ends."""

import pytest

from internetcar.contract.loop import Loop


def looping(*waits_s: float) -> tuple[Loop, list[str]]:
    """A loop whose turns wait so long, one after the other, and what it does."""
    done: list[str] = []
    left = list(waits_s)

    def turn() -> None:
        done.append("turn")
        loop.wait(left.pop(0))
        if not left:
            loop.stop()

    def finish(is_clean: bool) -> None:
        done.append(f"finish {is_clean}")

    loop = Loop("test", turn, finish, lambda error: done.append(str(error)))
    return loop, done


def test_every_turn_calls_back() -> None:
    loop, done = looping(0, 0)
    loop.on_turn(lambda: done.append("first"))
    loop.on_turn(lambda: done.append("second"))
    loop.run()
    assert done == ["turn", "first", "second"] * 2 + ["finish True"]


def test_a_long_wait_calls_back_every_second() -> None:
    loop, done = looping(2.5)
    loop.on_turn(lambda: done.append("beat"))
    loop.run()
    assert done.count("beat") >= 3


def test_an_error_of_a_callback_ends_the_loop() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    loop, done = looping(0, 0)
    loop.on_turn(fail)
    with pytest.raises(ZeroDivisionError):
        loop.run()
    assert done == ["turn", "finish False"]
