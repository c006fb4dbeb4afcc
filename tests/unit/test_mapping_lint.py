import json
from typing import Any

from gateway.mapping import parse_mapping
from gateway.mapping_lint import Finding, lint
from gateway.vss import VssLeaf
from tests.unit.signals import FakeSignal

VSS = {
    "Vehicle.Speed": VssLeaf("Vehicle.Speed", "sensor", "float", "km/h"),
    "Vehicle.Light": VssLeaf("Vehicle.Light", "actuator", "string", allowed=("ON", "OFF")),
}
SIGNALS = [
    FakeSignal("V", unit="mph"),
    FakeSignal("V2", unit="kph"),
    FakeSignal("L", choices={0: "off", 1: "on", 3: "broken"}),
]


def checked(nodes: dict[str, Any], *, text: str | None = None) -> list[Finding]:
    text = text or json.dumps(nodes, indent=1)
    return lint(parse_mapping(text, "m.json"), text, SIGNALS, ["can0"], VSS)


def leaf(source: dict[str, Any], datatype: str = "float", **more: Any) -> dict[str, Any]:
    return {"type": "sensor", "datatype": datatype, "dbc2vss": source, **more}


def texts(findings: list[Finding]) -> list[str]:
    return [finding.text for finding in findings]


def test_a_sound_mapping_has_no_finding() -> None:
    assert checked({"Vehicle.Speed": leaf({"signal": "V2"}, unit="km/h")}) == []


def test_a_unit_that_is_not_converted_is_found_where_it_stands() -> None:
    [finding] = checked(
        {
            "Vehicle": {
                "type": "branch",
                "children": {"Speed": leaf({"signal": "V"}, unit="km/h")},
            }
        }
    )

    assert (finding.path, finding.line, finding.severity) == ("Vehicle.Speed", 5, "warning")
    assert finding.text == "V is in 'mph', the leaf in 'km/h'"
    assert finding.fix == "convert it with `transform: math`"


def test_a_flat_overlay_has_lines_too() -> None:
    text = (
        "# ours\n\nVehicle.Speed:\n  type: sensor\n  datatype: float\n"
        "  dbc2vss:\n    signal: Nothing\n"
    )

    [finding] = checked({}, text=text)

    assert (finding.path, finding.line) == ("Vehicle.Speed", 3)
    assert finding.text == "no Nothing in these databases; never said"
    assert finding.fix == "correct the name, or give the database that has it"


def test_what_a_release_says_otherwise_is_found() -> None:
    findings = checked(
        {
            "Vehicle.Speed": leaf({"signal": "V2"}, "double", unit="m/s"),
            "Vehicle.Spead": leaf({"signal": "V2"}),
            "Other": leaf({"signal": "V2"}),
        }
    )

    assert [(finding.path, finding.text, finding.fix) for finding in findings] == [
        ("Vehicle.Speed", "datatype is double, in this release float", "datatype: float"),
        ("Vehicle.Speed", "unit is m/s, in this release km/h", "unit: km/h"),
        ("Vehicle.Spead", "not in this VSS release", "perhaps Vehicle.Speed"),
        ("Other", "not in this VSS release", "give your own tree with --vss"),
    ]


def test_a_table_is_checked_against_the_leaf_and_the_signal() -> None:
    entries = [
        {"from": "on", "to": "ON"},
        {"from": "on", "to": "ON"},
        {"from": "off", "to": "DARK"},
        {"from": "dim", "to": "ON"},
    ]
    node = leaf({"signal": "L", "transform": {"mapping": entries}}, "string", allowed=["ON", "OFF"])

    findings = checked({"Vehicle.Light": {**node, "type": "actuator"}})

    assert texts(findings) == [
        "`from: dim` never matches; L has off, on, broken",
        "L can also be broken",
        "`to: DARK` is not allowed",
        "`from: on` stands there twice; the first holds",
    ]
    assert [finding.severity for finding in findings] == ["warning", "note", "error", "warning"]


def test_keys_that_do_nothing_are_found() -> None:
    findings = checked({"Vehicle.Speed": leaf({"signal": "V2", "deadbnd": 1}, unit="km/h")})

    assert texts(findings) == ["dbc2vss: nobody reads deadbnd"]
    assert findings[0].line == 2


def test_a_deadband_must_be_smaller_than_the_range_and_on_a_number() -> None:
    findings = checked(
        {
            "Vehicle.Speed": leaf({"signal": "V2", "deadband": 9}, unit="km/h", min=0, max=9),
            "Vehicle.Light": {
                **leaf({"signal": "L", "deadband": 1}, "string", allowed=["ON", "OFF"]),
                "type": "actuator",
            },
        }
    )

    assert texts(findings) == ["a deadband as wide as the range", "a deadband on a string"]


def test_an_ambiguous_signal_is_an_error() -> None:
    text = json.dumps({"Vehicle.Speed": leaf({"signal": "V"})})
    signals = [FakeSignal("V", "A"), FakeSignal("V", "B")]

    [finding] = lint(parse_mapping(text, "m.json"), text, signals, ["can0"])

    assert (finding.severity, finding.path) == ("error", "Vehicle.Speed")
    assert finding.fix == "add the key that is named"


def test_a_multiplexer_elsewhere_is_an_error() -> None:
    source = {"signal": "V2", "multiplexer": [{"signal": "Else", "value": 1}]}

    [finding] = checked({"Vehicle.Speed": leaf(source, unit="km/h")})

    assert (finding.severity, finding.fix) == ("error", "see the text")


def test_a_mapping_alone_can_be_checked() -> None:
    text = json.dumps({"A": {"type": "actuator", "datatype": "int8", "vss2dbc": {"signal": "S"}}})

    assert lint(parse_mapping(text, "m.json"), text) == []
