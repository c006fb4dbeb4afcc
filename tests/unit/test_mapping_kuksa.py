"""KUKSA's behaviours, as its documentation has them, and each of its defects mended."""

import json
from collections.abc import Sequence
from typing import Any

from gateway.assembly import assemble
from gateway.databases import Database, parse_database
from gateway.kuksa import Difference, Frame, KuksaSender, compare
from gateway.mapping import Mapping, parse_mapping
from gateway.pacing import Pace
from internetcar.contract.message import Value

DBC = """VERSION ""

NS_ :

BS_:

BU_: CAR

BO_ 257 GEARBOX: 8 CAR
 SG_ Gear : 0|8@1+ (1,0) [0|7] "" CAR
 SG_ Temperature : 8|8@1+ (1,-40) [-40|200] "degC" CAR
 SG_ Position : 16|8@1+ (1,0) [0|15] "" CAR
 SG_ Level : 24|8@1+ (1,0) [0|7] "" CAR

BO_ 258 COPY: 8 CAR
 SG_ Level : 0|8@1+ (1,0) [0|7] "" CAR

BO_ 2147484001 LONG: 8 CAR
 SG_ Torque : 0|8@1+ (1,0) [0|255] "" CAR

VAL_ 257 Gear 0 "P" 1 "R" 2 "N" 3 "D" ;
"""
GEARBOX, COPY = 0x101, 0x102
LONG = 0x8000_0161


def database() -> Database:
    return parse_database(DBC, "test.dbc", "dbc")


def mapping(source: dict[str, Any], datatype: str = "float") -> Mapping:
    node = {"type": "sensor", "datatype": datatype, "dbc2vss": source}
    return parse_mapping(json.dumps({"Leaf": node}), "kuksa.json")


def table(*entries: tuple[Any, Any]) -> dict[str, Any]:
    return {"transform": {"mapping": [{"from": key, "to": value} for key, value in entries]}}


def frame(at_ms: int, *values: int, can_id: int = GEARBOX) -> Frame:
    return 0, can_id, bytes(values).ljust(8, b"\0"), at_ms * 1_000_000


def kuksa(rules: Mapping, *frames: Frame) -> list[tuple[int, Value]]:
    sender = KuksaSender(rules, [database()])
    return [
        (at_ns // 1_000_000, value)
        for _, can_id, payload, at_ns in frames
        for _, value in sender.feed(can_id, payload, at_ns)
    ]


def ours(rules: Mapping, *frames: Frame) -> list[tuple[int, Value]]:
    """What we say, asked every millisecond until a second after the last frame."""
    pipeline = assemble([[database()]], ["can0"], rules, Pace()).pipeline
    said: list[tuple[int, Value]] = []
    waiting = list(frames)
    for now_ms in range(frames[0][3] // 1_000_000, frames[-1][3] // 1_000_000 + 1000):
        pipeline.now_ns = now_ms * 1_000_000
        while waiting and waiting[0][3] <= pipeline.now_ns:
            pipeline.feed(*waiting.pop(0))
        said += [(now_ms, sample.value) for sample in pipeline.take()]
    return said


def differences(rules: Mapping, *frames: Frame) -> list[Difference]:
    return compare(rules, [[database()]], ["can0"], frames)


TEMPERATURE = {"signal": "Temperature"}


def temperatures(*at_and_value: tuple[int, int]) -> Sequence[Frame]:
    return [frame(at_ms, 0, value + 40) for at_ms, value in at_and_value]


def test_kuksa_looks_once_an_interval_and_by_default_once_a_second() -> None:
    frames = temperatures((1000, 1), (1100, 2), (1999, 3), (2000, 4), (2999, 5))

    assert kuksa(mapping(TEMPERATURE), *frames) == [(1000, 1), (2000, 4)]
    assert kuksa(mapping({**TEMPERATURE, "interval_ms": 900}), *frames) == [
        (1000, 1),
        (1999, 3),
        (2999, 5),
    ]


def test_kuksa_repeats_an_unchanged_value_unless_told_on_change() -> None:
    frames = temperatures((1000, 1), (2000, 1), (3000, 2))

    assert kuksa(mapping(TEMPERATURE), *frames) == [(1000, 1), (2000, 1), (3000, 2)]
    on_change = mapping({**TEMPERATURE, "on_change": True})
    assert kuksa(on_change, *frames) == [(1000, 1), (3000, 2)]


def test_kuksa_on_change_alone_has_no_interval() -> None:
    rules = mapping({**TEMPERATURE, "on_change": True})

    assert kuksa(rules, *temperatures((1, 1), (2, 2), (3, 2), (4, 1))) == [(1, 1), (2, 2), (4, 1)]


def test_kuksa_drops_what_math_or_a_table_has_no_value_for() -> None:
    math = mapping({**TEMPERATURE, "interval_ms": 1, "transform": {"math": "10/x"}})
    named = mapping({"signal": "Gear", "interval_ms": 1, **table(("D", 1))}, "int8")

    assert kuksa(math, *temperatures((1, 0), (3, 5))) == [(3, 2)]
    assert kuksa(named, frame(1, 2), frame(3, 3), frame(5, 4)) == [(3, 1)]


def test_kuksa_says_the_name_to_text_and_the_number_to_all_else() -> None:
    source = {"signal": "Gear", "interval_ms": 1}

    assert kuksa(mapping(source, "string"), frame(1, 3)) == [(1, "D")]
    assert kuksa(mapping(source, "int8"), frame(1, 3)) == [(1, 3)]


def test_kuksa_drops_what_is_beyond_the_range_and_what_is_selected_away() -> None:
    source = {"signal": "Temperature", "multiplexer": [{"signal": "Position", "value": 2}]}

    beyond = KuksaSender(mapping(TEMPERATURE), [database()])
    assert beyond.feed(GEARBOX, bytes([0, 255, 0]), 1) == []
    assert beyond.ignored == {"Leaf": {"outside the range in the database": 1}}
    assert kuksa(mapping(source), frame(1, 0, 50, 1), frame(2000, 0, 50, 2)) == [(2000, 10)]


def test_a_frame_kuksa_cannot_decode_is_left_out() -> None:
    multiplexed = parse_database(
        'BO_ 257 M: 8 CAR\n SG_ S M : 0|8@1+ (1,0) [0|0] "" CAR\n'
        ' SG_ Temperature m1 : 8|8@1+ (1,0) [0|0] "" CAR\n',
        "mux.dbc",
        "dbc",
    )
    sender = KuksaSender(mapping(TEMPERATURE), [multiplexed])

    assert kuksa(mapping(TEMPERATURE), (0, 0x7, b"", 1), (0, GEARBOX, b"", 2)) == []
    assert sender.feed(GEARBOX, bytes(8), 1) == []
    assert sender.feed(GEARBOX, bytes([1, 5]), 2) == [("Leaf", 5)]


def test_kuksa_has_no_value_for_a_leaf_of_another_datatype() -> None:
    sender = KuksaSender(mapping({"signal": "Gear", "interval_ms": 1}, "int8[]"), [database()])
    huge = {**TEMPERATURE, "transform": {"math": "x*1e300*1e300"}}
    endless = KuksaSender(mapping(huge, "int8"), [database()])

    assert sender.feed(GEARBOX, bytes([3]), 1) == [("Leaf", [3])]
    assert endless.feed(GEARBOX, bytes([0, 45]), 1) == []
    assert endless.ignored == {"Leaf": {"not a value of the leaf's datatype": 1}}


def test_a_leaf_that_is_only_set_is_not_sent() -> None:
    rules = parse_mapping(
        '{"A": {"type": "actuator", "datatype": "int8", "vss2dbc": {"signal": "Gear"}}}', "a"
    )

    assert kuksa(rules, frame(1, 3)) == []


def test_the_last_change_within_an_interval_is_said_when_it_ends() -> None:
    rules = mapping({**TEMPERATURE, "interval_ms": 500})
    frames = temperatures((1000, 1), (1100, 2), (1200, 3))

    assert kuksa(rules, *frames) == [(1000, 1)]
    assert ours(rules, *frames) == [(1000, 1), (1500, 3)]
    assert differences(rules, *frames)[0].reasons == (
        "KUKSA loses 1 changes: within an interval, or after a value that began an interval and"
        " was not sent",
        "KUKSA ends with 1.0, the car with 3.0",
    )


def test_an_ignored_value_does_not_use_up_an_interval() -> None:
    rules = mapping({"signal": "Gear", "interval_ms": 500, **table(("D", 1), ("R", -1))}, "int8")
    frames = [frame(1000, 2), frame(1100, 3), frame(1600, 1)]

    assert kuksa(rules, *frames) == [(1600, -1)]
    assert ours(rules, *frames) == [(1100, 1), (1600, -1)]


def test_a_numeric_from_matches_a_value_that_also_has_a_name() -> None:
    rules = mapping({"signal": "Gear", "interval_ms": 1, **table((3, 1))}, "int8")

    assert kuksa(rules, frame(1, 3)) == []
    assert ours(rules, frame(1, 3)) == [(1, 1)]
    [difference] = differences(rules, frame(1, 3))
    assert "KUKSA ignores 1 values: no `from` for it, which has a name" in difference.reasons
    assert difference.first_at_ns == 1_000_000


def test_math_works_on_a_value_that_has_a_name() -> None:
    rules = mapping({"signal": "Gear", "interval_ms": 1, "transform": {"math": "x*2"}})

    assert kuksa(rules, frame(1, 3)) == []
    assert ours(rules, frame(1, 3)) == [(1, 6)]


def test_an_identifier_of_29_bits_is_not_masked() -> None:
    rules = mapping({"signal": "Torque", "interval_ms": 1})
    taken_for_it = frame(1, 9, can_id=0x161)

    assert kuksa(rules, taken_for_it) == [(1, 9)]
    assert ours(rules, taken_for_it) == []
    assert ours(rules, frame(1, 9, can_id=LONG)) == [(1, 9)]


def test_a_signal_of_several_messages_is_told_apart() -> None:
    source = {"signal": "Level", "interval_ms": 1}
    frames = [frame(1, 0, 0, 0, 3), frame(2, 1, can_id=COPY)]

    assert kuksa(mapping(source), *frames) == [(1, 3), (2, 1)]
    [difference] = differences(mapping(source), *frames)
    assert difference.ours == ()
    assert "it is in can0/GEARBOX, can0/COPY; add `message`" in difference.reasons[0]
    assert ours(mapping({**source, "message": "COPY"}), *frames) == [(2, 1)]


def test_unmappable_values_are_counted() -> None:
    rules = mapping({"signal": "Gear", **table(("D", 1))}, "int8")
    pipeline = assemble([[database()]], ["can0"], rules, Pace()).pipeline

    for _, can_id, payload, at_ns in [frame(1, 2), frame(2, 3), frame(3, 0)]:
        pipeline.feed(0, can_id, payload, at_ns)

    assert pipeline.unmappable == [2]


def test_the_first_difference_is_named_by_its_instant() -> None:
    rules = mapping({**TEMPERATURE, "interval_ms": 500, "on_change": True})

    [difference] = differences(
        rules, *temperatures((1000, 1), (1100, 2), (1200, 3), (1700, 4), (2300, 5))
    )

    assert [value for _, value in difference.kuksa] == [1, 4, 5]
    assert [value for _, value in difference.ours] == [1, 3, 4, 5]
    assert difference.first_at_ns == 1_200_000_000


def test_rules_that_say_the_same_have_no_difference() -> None:
    rules = mapping({**TEMPERATURE, "interval_ms": 100, "on_change": True})

    assert differences(rules, *temperatures((1000, 1), (2000, 2))) == []


def test_what_kuksa_repeats_we_say_once() -> None:
    [difference] = differences(mapping(TEMPERATURE), *temperatures((1000, 1), (2000, 1)))

    assert difference.reasons == ("KUKSA says the same value again 1 times; we say changes",)
    assert difference.first_at_ns is None


def test_a_deadband_is_a_difference() -> None:
    rules = mapping({**TEMPERATURE, "interval_ms": 1, "on_change": True, "deadband": 5})

    [difference] = differences(rules, *temperatures((1000, 1), (2000, 2)))

    assert difference.reasons[0] == "we say 1 changes fewer: interval or deadband"
    assert difference.first_at_ns == 2_000_000_000
