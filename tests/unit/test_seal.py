"""Counter and checksum of the frames we send, and bits put into a payload."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.checks import ALGORITHMS, Check, CheckRule, CheckRuleError, Seal, checksum_of, reader
from gateway.layout import field_mask, insert
from tests.unit.test_encoding import signals_of

LINES = (
    'SPEED : 0|16@1+ (1,0) [0|0] "" X',
    'COUNT : 19|4@0+ (1,0) [0|0] "" X',
    'SUM : 31|8@0+ (1,0) [0|0] "" X',
)
SIGNALS = signals_of(*LINES, length=5)


def seal(step: int = 1, algorithm: str = "sum", final_xor: int = 0) -> Seal:
    return Seal(CheckRule("SUM", algorithm, final_xor, "COUNT", step), SIGNALS)


def counts(frames: list[bytes]) -> list[int]:
    count = reader(SIGNALS[1])
    return [count(frame) for frame in frames]


def test_a_counter_begins_at_0_and_goes_on_from_the_frame_before() -> None:
    frames: list[bytes] = []
    for _ in range(18):
        frames.append(seal().seal(bytes(5), frames[-1] if frames else None))
    assert counts(frames) == [*range(16), 0, 1]


def test_a_counter_may_count_by_more_than_one() -> None:
    first = seal(step=5).seal(bytes(5), None)
    assert counts([seal(step=5).seal(bytes(5), first)]) == [5]


def test_a_frame_too_short_to_count_begins_the_count() -> None:
    assert counts([seal().seal(bytes(5), b"\xff\xff")]) == [0]
    assert counts([seal().seal(bytes(5), b"")]) == [0]


def test_a_seal_may_be_a_counter_alone_a_checksum_alone_or_nothing() -> None:
    assert Seal(CheckRule(counter="COUNT"), SIGNALS).seal(b"\1\2\0\0\0", None) == b"\1\2\0\0\0"
    assert Seal(CheckRule("SUM"), SIGNALS).seal(b"\1\2\0\0\0", None) == b"\1\2\0\3\0"
    assert Seal(CheckRule(), SIGNALS).seal(b"\1\2\0\0\0", None) == b"\1\2\0\0\0"
    assert Seal(CheckRule("SUM"), SIGNALS).names == {"SUM"}
    assert Seal(CheckRule(counter="COUNT"), SIGNALS).names == {"COUNT"}
    assert seal().names == {"SUM", "COUNT"}


@pytest.mark.parametrize(
    "rule", [CheckRule("NOBODY"), CheckRule(counter="NOBODY"), CheckRule("SUM", "md5")]
)
def test_a_seal_that_does_not_fit_its_message_is_refused(rule: CheckRule) -> None:
    with pytest.raises(CheckRuleError):
        Seal(rule, SIGNALS)


@given(
    st.sampled_from(sorted(ALGORITHMS)), st.integers(0, 255), st.integers(1, 15),
    st.lists(st.binary(min_size=5, max_size=5), min_size=1, max_size=20),
)  # fmt: skip
def test_what_is_sealed_is_what_the_check_of_received_frames_accepts(
    algorithm: str, final_xor: int, step: int, payloads: list[bytes]
) -> None:
    own = seal(step, algorithm, final_xor)
    check = Check(CheckRule("SUM", algorithm, final_xor, "COUNT", step), SIGNALS)
    right = checksum_of(CheckRule("SUM", algorithm, final_xor), SIGNALS)
    before = None
    kept = ~(field_mask(SIGNALS[1]) | field_mask(SIGNALS[2]))
    for payload in payloads:
        sealed = own.seal(payload, before)
        assert check.accept(sealed)
        assert sealed[3] == right(sealed)
        assert not check._bad  # the counter was right, not only tolerated
        changed = int.from_bytes(sealed, "little") ^ int.from_bytes(payload, "little")
        assert not changed & kept
        before = sealed


@given(
    start=st.integers(0, 39), length=st.integers(1, 40), is_big=st.booleans(),
    raw=st.integers(-(2**70), 2**70), payload=st.binary(min_size=16, max_size=16),
)  # fmt: skip
def test_bits_put_into_a_payload_are_read_back_and_change_no_other(
    start: int, length: int, is_big: bool, raw: int, payload: bytes
) -> None:
    [own] = signals_of(f'S : {start}|{length}@{int(not is_big)}+ (1,0) [0|0] "" X', length=16)
    filled = insert(own, raw, payload)
    assert len(filled) == 16
    assert reader(own)(filled) == raw & (1 << length) - 1
    changed = int.from_bytes(filled, "little") ^ int.from_bytes(payload, "little")
    assert not changed & ~field_mask(own)
    assert insert(own, raw, filled) == filled
