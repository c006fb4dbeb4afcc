from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.checks import ALGORITHMS, MAX_BAD_COUNTERS, Check, CheckRule, CheckRuleError
from gateway.databases import Database, parse_database
from gateway.decode import Decoder, MessageState

TEXT = """BO_ 291 SAFE: 4 ECU
 SG_ SPEED : 0|16@1+ (1,0) [0|0] "" ECU
 SG_ COUNTER : 16|4@1+ (1,0) [0|0] "" ECU
 SG_ CHECKSUM : 24|8@1+ (1,0) [0|0] "" ECU
"""
RULE = CheckRule("CHECKSUM", "sum", counter="COUNTER")


def database() -> Database:
    return parse_database(TEXT, "safe", "dbc")


def frame(speed: int, counter: int) -> bytes:
    rest = speed.to_bytes(2, "little") + bytes([counter & 15])
    return rest + bytes([sum(rest) & 0xFF])


def decoder(states: list[tuple[bool, int]] | None = None) -> Decoder:
    def on_check(state: MessageState) -> None:
        if states is not None:
            states.append((state.failing, state.frames))

    return Decoder([[database()]], checked={(0, 291): RULE}, on_check=on_check)


@pytest.mark.parametrize(
    ("algorithm", "result"),
    [("crc8_sae_j1850", 0x4B), ("crc8_autosar", 0xDF)],
)
def test_a_crc_of_the_digits_is_the_one_of_the_catalogue(algorithm: str, result: int) -> None:
    assert ALGORITHMS[algorithm](b"123456789") == result


@pytest.mark.parametrize(
    ("algorithm", "result"),
    [("sum", 0x12 + 0x3F), ("xor", 0x12 ^ 0x3F), ("sum_of_nibbles", 21), ("xor_of_nibbles", 15)],
)
def test_sums_are_what_their_names_say(algorithm: str, result: int) -> None:
    assert ALGORITHMS[algorithm](b"\x12\x3f") == result


def test_good_frames_are_decoded_and_a_changed_counter_is_a_change() -> None:
    decode = decoder().decode
    assert dict(decode(0, 291, frame(100, 0), 1))[0] == 100
    assert dict(decode(0, 291, frame(100, 1), 2)) == {1: 1, 2: frame(100, 1)[3]}


def test_a_wrong_checksum_changes_nothing_and_is_said_once() -> None:
    said: list[tuple[bool, int]] = []
    checked = decoder(said)
    checked.decode(0, 291, frame(100, 0), 1)
    broken = bytearray(frame(200, 1))
    broken[3] ^= 1
    for at in range(2, 5):
        assert checked.decode(0, 291, bytes(broken), at) == ()
    assert dict(checked.decode(0, 291, frame(100, 1), 5)) == {1: 1, 2: frame(100, 1)[3]}
    assert said == [(True, 2), (False, 5)]
    state = checked.state(0, 291)
    assert state is not None
    assert (state.rejected, state.frames, state.last_at_ns) == (3, 5, 5)


def test_a_frozen_frame_is_believed_four_times_and_then_refused() -> None:
    said: list[tuple[bool, int]] = []
    checked = decoder(said)
    for at in range(1, 9):
        checked.decode(0, 291, frame(100, 0), at)
    assert said == [(True, 1 + MAX_BAD_COUNTERS)]


def test_a_counter_that_runs_again_recovers() -> None:
    said: list[tuple[bool, int]] = []
    checked = decoder(said)
    for at in range(1, 7):
        checked.decode(0, 291, frame(100, 0), at)
    assert checked.decode(0, 291, frame(50, 1), 7) != ()
    assert said == [(True, 6), (False, 7)]


def test_one_good_counter_makes_up_for_one_bad_one_only() -> None:
    checked = decoder()
    for at in range(1, 7):
        checked.decode(0, 291, frame(100, 0), at)
    assert checked.decode(0, 291, frame(50, 1), 7) != ()
    assert checked.decode(0, 291, frame(60, 1), 8) == ()


@pytest.mark.parametrize("payload", [b"", b"\x00", frame(1, 1)[:3]])
def test_a_frame_too_short_for_its_check_is_refused(payload: bytes) -> None:
    checked = decoder()
    assert checked.decode(0, 291, payload, 1) == ()
    state = checked.state(0, 291)
    assert state is not None
    assert state.failing


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (CheckRule("NOBODY"), "no signal 'NOBODY'"),
        (CheckRule(counter="NOBODY"), "no signal 'NOBODY'"),
        (CheckRule("CHECKSUM", "md5"), "no algorithm 'md5': there are sum, xor"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused_in_one_sentence(rule: CheckRule, reason: str) -> None:
    with pytest.raises(CheckRuleError, match=reason):
        Decoder([[database()]], checked={(0, 291): rule})


def walk(steps: list[int]) -> Iterator[bytes]:
    counter = 0
    for step in steps:
        counter += 1 if step % 5 else 0
        payload = bytearray(frame(step & 0x3, counter))
        if step % 7 == 0:
            payload[step % 4] ^= 1 << step % 8
        yield bytes(payload)


@given(st.lists(st.integers(0, 255), max_size=40))
def test_checked_decoding_equals_decoding_of_the_accepted_frames(steps: list[int]) -> None:
    checked, plain = decoder(), Decoder([[database()]])
    judge = Check(RULE, database().messages[0].signals)
    for payload in walk(steps):
        expected = plain.decode(0, 291, payload, 1) if judge.accept(payload) else ()
        assert list(checked.decode(0, 291, payload, 1)) == list(expected)
