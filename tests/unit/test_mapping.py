import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mapping import (
    UNMAPPABLE,
    Binding,
    Mapping,
    MappingError,
    bind,
    catalog_leaf,
    inherit,
    parse_mapping,
    unmapped_binding,
)
from gateway.pacing import Pace
from gateway.vss import VssLeaf
from tests.unit.signals import FakeSignal

GEARS = {0: "P", 5: "D", 6: "N", 7: "R"}


def mapping(source: dict[str, Any], path: str = "Vehicle.X", **leaf: Any) -> Mapping:
    node = {"type": "sensor", "datatype": "float", "dbc2vss": source, **leaf}
    return parse_mapping(json.dumps({path: node}), "test.json")


def table(*entries: tuple[Any, Any]) -> dict[str, Any]:
    return {"mapping": [{"from": key, "to": value} for key, value in entries]}


def translated(
    signal: FakeSignal, number: float, transform: dict[str, Any] | None = None, **leaf: Any
) -> object:
    source = {"signal": signal.signal} | ({"transform": transform} if transform else {})
    binding = bind(mapping(source, **leaf), [signal], ["can0"])
    assert binding.errors == []
    return binding.leaves[0].translate(number)


def pace(**source: Any) -> Pace:
    return mapping({"signal": "S", **source}).leaves["Vehicle.X"].pace(Pace())


def bound(rules: Mapping, *signals: FakeSignal) -> Binding:
    return bind(rules, signals, ["can0", "can1"])


def test_a_tree_and_an_overlay_give_the_same_rules() -> None:
    tree = """{"Vehicle": {"type": "branch", "children": {"Speed": {"type": "sensor",
        "datatype": "float", "unit": "km/h", "dbc2vss": {"signal": "V", "interval_ms": 100}},
        "Width": {"type": "attribute", "datatype": "uint16"}}}}"""
    flat = """
Vehicle.Speed:
  type: sensor
  datatype: float
  unit: km/h
  dbc2vss:
    signal: V
    interval_ms: 100
"""

    rules = parse_mapping(tree, "a.json").leaves

    assert rules == parse_mapping(flat, "a.vspec").leaves
    assert list(rules) == ["Vehicle.Speed"]


def test_the_older_key_dbc_means_dbc2vss() -> None:
    old = parse_mapping('{"A": {"type":"sensor","datatype":"int8","dbc":{"signal":"S"}}}', "o")
    new = parse_mapping('{"A": {"type":"sensor","datatype":"int8","dbc2vss":{"signal":"S"}}}', "n")

    assert old.leaves == new.leaves


def test_a_value_is_taken_as_it_is_in_the_leafs_datatype() -> None:
    signal = FakeSignal("S", scale=0.5)

    assert translated(signal, 3.5) == 3.5
    assert translated(signal, 3.5, datatype="uint8") == 3
    assert translated(signal, -3.5, datatype="int8") == -3
    assert translated(signal, 2, datatype="boolean") is True
    assert translated(signal, 2, datatype="string") == "2"
    assert translated(signal, 2, datatype="uint8[]") == [2]


def test_a_text_leaf_without_a_transform_says_the_name() -> None:
    signal = FakeSignal("S", choices=GEARS)

    assert translated(signal, 5, datatype="string") == "D"
    assert translated(signal, 3, datatype="string") == "3"
    assert translated(signal, 5, datatype="int8") == 5


def test_a_table_matches_by_name_through_the_value_table() -> None:
    signal = FakeSignal("S", choices=GEARS)
    transform = table(("D", 1), ("P", 0), ("R", -1))

    assert translated(signal, 5, transform, datatype="int8") == 1
    assert translated(signal, 7, transform, datatype="int8") == -1
    assert translated(signal, 6, transform, datatype="int8") is UNMAPPABLE


def test_a_numeric_from_matches_a_value_that_also_has_a_name() -> None:
    signal = FakeSignal("S", choices=GEARS)

    assert translated(signal, 5, table((5, True)), datatype="boolean") is True


def test_the_first_of_equal_entries_holds() -> None:
    signal = FakeSignal("S", choices=GEARS)

    assert translated(signal, 5, table((5, 1), ("D", 2)), datatype="int8") == 1


def test_a_name_that_several_numbers_have_matches_them_all() -> None:
    signal = FakeSignal("S", choices={1: "on", 2: "on", 0: "off"})
    transform = table(("on", True), ("off", False))

    assert [translated(signal, n, transform, datatype="boolean") for n in (0, 1, 2)] == [
        False,
        True,
        True,
    ]


def test_a_from_matches_the_number_the_scale_makes_of_it() -> None:
    signal = FakeSignal("S", scale=0.1)

    assert 3 * 0.1 != 0.3
    assert translated(signal, 3 * 0.1, table((0.3, 7)), datatype="int8") == 7


def test_an_absurd_from_matches_nothing_and_breaks_nothing() -> None:
    signal = FakeSignal("S", scale=1e-300)

    assert translated(signal, 1.0, table((1e300, 1), (10**400, 2))) is UNMAPPABLE
    for scale in (0, math.nan, math.inf):
        assert translated(FakeSignal("S", scale=scale), 2, table((1, 1), (2, 2))) == 2


def test_the_values_of_a_table_are_of_the_leafs_datatype() -> None:
    assert translated(FakeSignal("S"), 1, table((1, 3.9)), datatype="uint8") == 3
    assert translated(FakeSignal("S"), 1, table((1, "false")), datatype="boolean") is False
    assert translated(FakeSignal("S"), 1, table((1, ["a"])), datatype="string[]") == ["a"]


def test_math_is_calculated_and_converted() -> None:
    signal = FakeSignal("S", scale=0.02)

    assert translated(signal, 2.0, {"math": "floor((x*40)-100)"}, datatype="int8") == -20
    assert translated(signal, 2.5, {"math": "x*2"}, datatype="float[]") == [5.0]


@pytest.mark.parametrize(
    ("formula", "number"),
    [("1/x", 0), ("sqrt(x)", -1), ("x*1e300*1e300", 1), ("exp(x)", 1e6), ("floor(x)*9^20", 1e18)],
)
def test_math_without_a_result_is_unmappable(formula: str, number: float) -> None:
    assert translated(FakeSignal("S"), number, {"math": formula}, datatype="int64") is UNMAPPABLE


def test_a_number_that_is_not_finite_is_no_value() -> None:
    signal = FakeSignal("S", is_float=True)

    assert translated(signal, math.nan) is None
    assert translated(signal, math.inf, datatype="string") is None
    assert translated(signal, math.nan, datatype="float[]") is None
    assert translated(signal, math.nan, {"math": "x+1"}) is UNMAPPABLE
    assert translated(signal, 1.5) == 1.5


def test_an_integer_longer_than_json_takes_loses_its_last_digits() -> None:
    signal = FakeSignal("S", bits=512)
    unmapped = unmapped_binding([signal], ["can0"]).leaves[0]

    assert translated(signal, 2**64 - 1, datatype="uint64") == 2**64 - 1
    assert translated(signal, 2**80, datatype="uint64") == 2.0**80
    assert [unmapped.translate(n) for n in (5, 2**64, -(2**70))] == [5, 2.0**64, -(2.0**70)]
    assert unmapped.translate(10**400) is None


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


def test_what_a_file_leaves_open_is_the_default() -> None:
    assert pace() == Pace()
    assert pace(interval_ms=20, deadband=0.5, max_interval_ms=0, group="g") == Pace(
        20_000_000, 0.5, 0, "g"
    )


def test_on_change_alone_means_every_change() -> None:
    assert pace(on_change=True) == Pace(interval_ns=0)
    assert pace(on_change=True, interval_ms=50).interval_ns == 50_000_000


def test_without_on_change_an_unchanged_value_is_repeated_every_interval() -> None:
    assert pace(on_change=False, interval_ms=500).max_interval_ns == 500_000_000
    assert pace(on_change=False).max_interval_ns == Pace().interval_ns


def test_a_position_is_one_group_unless_it_says_otherwise() -> None:
    path = "Vehicle.CurrentLocation.Latitude"

    def group(**source: Any) -> str | None:
        return mapping({"signal": "S", **source}, path).leaves[path].pace(Pace()).group

    assert group() == "Vehicle.CurrentLocation"
    assert group(group="mine") == "mine"
    assert group(group="") is None


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


def test_keys_nobody_reads_are_warned_of() -> None:
    rules = mapping({"signal": "S", "intervall_ms": 3}, deadband=2, comment="fine")

    assert rules.warnings == (
        "test.json: Vehicle.X: dbc2vss: nobody reads intervall_ms",
        "test.json: Vehicle.X: deadband belong inside `dbc2vss` or `vss2dbc`",
    )


@pytest.mark.parametrize(
    ("leaf", "names"),
    [
        ({"dbc2vss": {}}, "Vehicle.X: dbc2vss.signal: Field required"),
        ({"dbc2vss": "S"}, "Vehicle.X: dbc2vss: Input should be"),
        ({"dbc2vss": {"signal": ""}}, "dbc2vss.signal"),
        ({"dbc2vss": {"signal": "S", "interval_ms": "10"}}, "dbc2vss.interval_ms"),
        ({"dbc2vss": {"signal": "S", "interval_ms": -1}}, "dbc2vss.interval_ms"),
        ({"dbc2vss": {"signal": "S", "on_change": 1}}, "dbc2vss.on_change"),
        ({"dbc2vss": {"signal": "S", "transform": {}}}, "either `mapping` or `math`"),
        (
            {"dbc2vss": {"signal": "S", "transform": {"math": "x", "mapping": []}}},
            "either `mapping` or `math`",
        ),
        ({"dbc2vss": {"signal": "S", "transform": {"math": "y"}}}, "unknown name 'y'"),
        ({"dbc2vss": {"signal": "S", "transform": {"math": "9" * 501}}}, "characters"),
        ({"dbc2vss": {"signal": "S", "transform": {"mapping": [{"from": 1}]}}}, "mapping.0.to"),
        ({"dbc2vss": {"signal": "S", "transform": table((1, "x"))}}, "'x' is not a float"),
        ({"dbc2vss": {"signal": "S", "transform": table((1, None))}}, "'None' is not a float"),
        ({"dbc2vss": {"signal": "S"}, "dbc": {"signal": "S"}}, "both `dbc` and `dbc2vss`"),
        ({"dbc2vss": {"signal": "S"}, "datatype": "int9"}, "unknown datatype 'int9'"),
        ({"dbc2vss": {"signal": "S"}, "datatype": None}, "Vehicle.X.datatype"),
        ({"dbc2vss": {"signal": "S"}, "type": "leaf"}, "needs `type: sensor`"),
        ({"vss2dbc": {"signal": "S"}}, "`vss2dbc` is for an actuator"),
        ({"vss2dbc": {"signal": "S", "hold_s": 601}, "type": "actuator"}, "vss2dbc.hold_s"),
    ],
)
def test_a_rule_that_contradicts_itself_is_one_error_that_names_it(
    leaf: dict[str, Any], names: str
) -> None:
    node = {"type": "sensor", "datatype": "float", **leaf}

    with pytest.raises(MappingError) as caught:
        parse_mapping(json.dumps({"Vehicle.X": node}), "test.json")

    assert str(caught.value).startswith("test.json: ")
    assert names in str(caught.value)


@pytest.mark.parametrize("path", ["Vehicle/Speed", "Vehicle.+", "Vehicle.Größe", "V" * 201, ""])
def test_a_path_that_cannot_be_a_topic_is_an_error(path: str) -> None:
    with pytest.raises(MappingError, match="a leaf's path has only"):
        mapping({"signal": "S"}, path)


def test_a_path_written_twice_is_an_error() -> None:
    node = '{"type": "sensor", "datatype": "int8", "dbc2vss": {"signal": "S"}}'

    with pytest.raises(MappingError, match="written twice"):
        parse_mapping(f'{{"A": {node}, "A": {node}}}', "a")


KEYS = [
    "A",
    "type",
    "datatype",
    "children",
    "dbc2vss",
    "vss2dbc",
    "signal",
    "transform",
    "mapping",
    "math",
    "from",
    "to",
    "interval_ms",
    "multiplexer",
    "min",
    "counter",
]
NODES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner | st.sampled_from(["sensor", "actuator", "branch", "int8", "x"]),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.one_of(st.text(max_size=80), NODES.map(json.dumps)))
def test_any_text_is_a_mapping_or_one_error(text: str) -> None:
    try:
        rules = parse_mapping(text, "any")
    except MappingError as error:
        assert "\n" not in str(error)
        return
    bind(rules, [FakeSignal("x")], ["can0"])


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


def test_an_overlay_inherits_from_its_release_what_it_does_not_say() -> None:
    node = {"type": "sensor", "datatype": "float", "max": 5, "dbc2vss": {"signal": "S"}}
    rules = parse_mapping(json.dumps({"A": node, "B": node}), "a")
    release = {"A": VssLeaf("A", "sensor", "float", "km", 0, 9, (1, 2), "Of A")}

    whole = inherit(rules, release).leaves

    assert whole["B"] == rules.leaves["B"]
    leaf = whole["A"]
    assert (leaf.unit, leaf.min, leaf.max, leaf.allowed) == ("km", 0, 5, (1, 2))
    assert (leaf.description, leaf.source) == ("Of A", rules.leaves["A"].source)
