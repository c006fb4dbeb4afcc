import json
import math

import pytest

from gateway.mapping import Binding, catalog_leaf, parse_mapping, unmapped_binding
from gateway.pacing import Pace
from tests.unit.rules import GEARS, bound, mapping, table
from tests.unit.signals import FakeSignal


def test_what_is_out_of_range_is_known_by_the_leafs_limits() -> None:
    rules = mapping({"signal": "S"}, datatype="uint8", max=100)

    leaf = bound(rules, FakeSignal("S")).leaves[0]

    assert (leaf.low, leaf.high) == (0, 100)
    free = bound(mapping({"signal": "S"}), FakeSignal("S")).leaves[0]
    assert (free.low, free.high) == (-math.inf, math.inf)


def test_a_number_taken_as_it_is_has_the_range_of_its_signal_too() -> None:
    signal = FakeSignal("S", scale=0.1, minimum=0, maximum=102.3)

    leaf = bound(mapping({"signal": "S"}, max=200), signal).leaves[0]
    scaled = bound(mapping({"signal": "S", "transform": {"math": "x*2"}}), signal).leaves[0]

    assert (leaf.low, leaf.high) == pytest.approx((-0.05, 102.35))
    assert (scaled.low, scaled.high) == (-math.inf, math.inf)


def test_a_leaf_with_only_a_command_is_kept_for_the_way_back() -> None:
    rules = parse_mapping(
        '{"A": {"type": "actuator", "datatype": "int8", "vss2dbc": {"signal": "S",'
        ' "transform": {"math": "x"}, "allow": true, "timeout_ms": 500, "counter": "Alive"}}}',
        "a",
    )

    command = rules.leaves["A"].command
    assert command is not None
    assert (command.allow, command.timeout_ms, command.counter) == (True, 500, "Alive")
    assert rules.leaves["A"].pace(Pace()) == Pace()
    assert bound(rules, FakeSignal("S")) == Binding()


def test_a_signal_in_several_messages_needs_its_message() -> None:
    signals = [FakeSignal("S", "A"), FakeSignal("S", "B", bus=1)]

    ambiguous = bound(mapping({"signal": "S"}), *signals)
    assert ambiguous.leaves == []
    assert ambiguous.errors == [
        "test.json: Vehicle.X: S is ambiguous: it is in can0/A, can1/B; add `message`"
    ]
    assert bound(mapping({"signal": "S", "message": "B"}), *signals).leaves[0].signal_index == 1


def test_a_message_on_several_buses_is_taken_from_the_first_unless_it_says_which() -> None:
    signals = [FakeSignal("S", bus=1), FakeSignal("S", bus=0)]

    first = bound(mapping({"signal": "S"}), *signals)
    assert first.leaves[0].signal_index == 1
    assert first.warnings == [
        "Vehicle.X: taken from can0: it is in can1/MESSAGE, can0/MESSAGE; add `bus` to choose"
    ]
    chosen = bound(mapping({"signal": "S", "bus": "can1"}), *signals)
    assert (chosen.leaves[0].signal_index, chosen.warnings) == (0, [])


def test_a_signal_that_is_not_there_is_a_warning_with_a_hint() -> None:
    absent = bound(mapping({"signal": "SPED"}), FakeSignal("SPEED"))
    elsewhere = bound(mapping({"signal": "SPEED", "bus": "can7"}), FakeSignal("SPEED"))

    assert (absent.leaves, absent.errors) == ([], [])
    assert absent.warnings == ["Vehicle.X: no SPED in these databases (there is SPEED); never said"]
    assert elsewhere.warnings == [
        "Vehicle.X: no can7/SPEED in these databases: it is in can0/MESSAGE; never said"
    ]


def test_a_from_that_never_matches_is_a_warning() -> None:
    rules = mapping({"signal": "S", "transform": table(("Drive", 1))})

    assert bound(rules, FakeSignal("S", choices=GEARS)).warnings == [
        "Vehicle.X: `from: Drive` never matches; S has P, D, N, R"
    ]


def test_several_leaves_come_from_one_signal() -> None:
    node = {"type": "sensor", "datatype": "int8", "dbc2vss": {"signal": "S"}}
    rules = parse_mapping(json.dumps({"A": node, "B": node}), "a")

    binding = bound(rules, FakeSignal("S"))

    assert [(leaf.path, leaf.signal_index) for leaf in binding.leaves] == [("A", 0), ("B", 0)]
    assert binding.signal_indices == {0}


def test_a_multiplexer_names_signals_of_the_same_message() -> None:
    rules = mapping({"signal": "S", "multiplexer": [{"signal": "Where", "value": 3}]})

    here = bound(rules, FakeSignal("Where", "OTHER"), FakeSignal("Where"), FakeSignal("S"))
    assert here.leaves[0].selectors == ((1, 3),)
    assert here.signal_indices == {1, 2}
    assert "Where is not in MESSAGE" in bound(rules, FakeSignal("S")).errors[0]


def test_without_a_mapping_each_signal_is_a_leaf_of_its_own() -> None:
    signals = [
        FakeSignal("Speed", "WHEELS", unit="km/h", maximum=511.9, scale=0.03125),
        FakeSignal("Gear", "BOX", choices={0: "P"}),
        FakeSignal("Power", "BOX", is_float=True),
    ]

    binding = unmapped_binding(signals, ["can0"])

    assert [leaf.path for leaf in binding.leaves] == ["WHEELS.Speed", "BOX.Gear", "BOX.Power"]
    assert [leaf.rule.datatype for leaf in binding.leaves] == ["double", "int64", "double"]
    assert binding.leaves[1].translate(3) == 3
    assert binding.leaves[2].translate(math.nan) is None
    assert binding.leaves[2].translate(0.5) == 0.5


def test_characters_no_topic_may_have_become_underscores() -> None:
    signals = [FakeSignal("a/b+#", 'M"; import os'), FakeSignal("größe", "M")]

    paths = [leaf.path for leaf in unmapped_binding(signals, ["can0"]).leaves]

    assert paths == ["M___import_os.a_b__", "M.gr__e"]


def test_leaves_that_would_share_a_name_are_an_error_with_both_sources() -> None:
    signals = [FakeSignal("a/b"), FakeSignal("a+b")]

    binding = unmapped_binding(signals, ["can0"])

    assert len(binding.leaves) == 1
    assert binding.errors == [
        "MESSAGE.a_b: both can0/MESSAGE.a/b and can0/MESSAGE.a+b; rename one in its file"
    ]


def test_the_same_message_on_two_buses_is_told_apart_by_the_bus() -> None:
    signals = [FakeSignal("S", bus=0), FakeSignal("S", bus=1), FakeSignal("T", bus=1)]

    paths = [leaf.path for leaf in unmapped_binding(signals, ["can0", "can1"]).leaves]

    assert paths == ["can0.MESSAGE.S", "can1.MESSAGE.S", "MESSAGE.T"]


def test_the_catalog_says_what_a_reader_must_know() -> None:
    signal = FakeSignal("S", choices=GEARS, unit="km")
    rules = mapping({"signal": "S"}, unit="km/h", min=0, allowed=[1, 2], description="How fast")
    mapped = bound(rules, signal).leaves[0]
    unmapped = unmapped_binding([signal], ["can0"]).leaves[0]

    leaf = catalog_leaf(mapped, [signal], ["can0"], max_interval_ms=60_000)
    plain = catalog_leaf(unmapped, [signal], ["can0"], max_interval_ms=0)

    assert (leaf.datatype, leaf.unit, leaf.min, leaf.allowed) == ("float", "km/h", 0, [1, 2])
    assert (leaf.source, leaf.description) == ("can0/MESSAGE.S", "How fast")
    assert (leaf.value_names, leaf.max_interval_ms) == (None, 60_000)
    assert plain.value_names == {"0": "P", "5": "D", "6": "N", "7": "R"}
    assert (plain.unit, plain.max_interval_ms) == ("km", None)
