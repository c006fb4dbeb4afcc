"""What the settings come to: what can be set, by whom, and what the catalog says of it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.assembly import Assembly, assemble, group_of
from gateway.databases import parse_database
from gateway.mapping import parse_mapping
from gateway.pacing import Pace
from tests.unit.commanded import DBC, FAN, HORN, LEVEL, MODE, SPEED, TEMPERATURE, changed


def assembled(
    leaves: Mapping[str, Mapping[str, Any]], allow: Mapping[str, Sequence[str]] | None = None
) -> Assembly:
    nodes = {path: {"type": "actuator", **leaf} for path, leaf in leaves.items()}
    mapping = parse_mapping(json.dumps(nodes), "test.json")
    database = parse_database(DBC, "test.dbc", "dbc")
    return assemble([[database]], ["can0"], mapping, Pace(), allow=allow)


def allowed_all(**commands: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    leaves = changed(**commands)
    for leaf in leaves.values():
        if "vss2dbc" in leaf:
            leaf["vss2dbc"] = {"allow": True, **leaf["vss2dbc"]}
    return leaves


def entry(assembly: Assembly, path: str) -> dict[str, Any]:
    return assembly.catalog["Vehicle"][path].model_dump(exclude_none=True)


def test_without_settings_nobody_may_set_anything() -> None:
    made = assembled(allowed_all())
    assert made.allowed == {}
    assert made.actuators.keys() == {
        path for path, leaf in allowed_all().items() if "vss2dbc" in leaf
    }
    assert not any(leaf.settable for leaf in made.catalog["Vehicle"].values())


def test_what_somebody_may_set_is_settable_in_the_catalog() -> None:
    made = assembled(allowed_all(), {"phone": [FAN, HORN], "radio": [MODE, SPEED]})
    assert made.allowed == {"phone": {FAN, HORN}, "radio": {MODE}}
    settable = {path for path, leaf in made.catalog["Vehicle"].items() if leaf.settable}
    assert settable == {FAN, HORN, MODE}


def test_what_the_mapping_does_not_allow_is_not_settable() -> None:
    made = assembled(allowed_all(Fan={"allow": False}), {"phone": ["*"]})
    assert FAN not in made.allowed["phone"]
    assert not made.catalog["Vehicle"][FAN].settable


def test_the_catalog_says_step_and_limits_of_what_can_be_set() -> None:
    made = assembled(allowed_all(), {"phone": ["*"]})
    temperature = entry(made, TEMPERATURE)
    assert temperature["source"] == "can0/Climate_Status.Temperature"
    assert (temperature["step"], temperature["min"], temperature["max"]) == (0.5, 16, 100)
    assert (entry(made, FAN)["min"], entry(made, FAN)["max"]) == (0, 100)
    assert "step" not in entry(made, MODE)
    assert not entry(made, MODE)["momentary"]


def test_a_leaf_that_can_only_be_set_has_an_entry_without_a_source() -> None:
    made = assembled(allowed_all(), {"phone": [HORN]})
    assert entry(made, HORN) == {
        "datatype": "boolean", "settable": True, "momentary": True, "source": "",
    }  # fmt: skip
    assert entry(made, LEVEL)["settable"] is False
    assert "min" not in entry(made, LEVEL)
    only = allowed_all()[MODE] | {"description": "how it drives"}
    only.pop("dbc2vss")
    mode = entry(assembled({MODE: only}), MODE)
    assert (mode["allowed"], mode["description"]) == (only["allowed"], "how it drives")


def test_a_step_without_limits_says_no_limits() -> None:
    leaf = {"datatype": "float", "vss2dbc": {"signal": "Level_Request", "allow": True}}
    level = entry(assembled({"Vehicle.Level": leaf}, {"phone": ["*"]}), "Vehicle.Level")
    assert level["step"] == 1
    assert {"min", "max"}.isdisjoint(level)


def test_what_is_only_set_is_heard_too_so_that_other_senders_are_seen() -> None:
    made = assembled({HORN: allowed_all()[HORN]})
    assert made.can_ids_of(0) == {258}
    assert made.can_ids_of(1) == set()
    made.pipeline.feed(0, 258, b"\1", 5)
    state = made.pipeline.decoder.state(0, 258)
    assert state is not None
    assert (state.newest, state.frames) == (b"\1", 1)
    made.pipeline.feed(0, 258, b"\2", 6)
    made.pipeline.feed(0, 258, b"\2", 7)
    assert (state.newest, state.frames) == (b"\2", 3)


def test_errors_of_commands_stand_with_the_others() -> None:
    made = assembled(allowed_all(Fan={"only_when": "Vehicle.Absent"}), {"phone": ["*"]})
    assert len(made.errors) == 1
    assert FAN not in made.actuators
    assert not made.catalog["Vehicle"][FAN].settable
    assert [message.group for message in made.messages("car")] == ["Vehicle"]


def test_without_a_mapping_nothing_can_be_set() -> None:
    database = parse_database(DBC, "test.dbc", "dbc")
    made = assemble([[database]], ["can0"], None, Pace(), allow={"phone": ["*"]})
    assert (made.actuators, made.allowed) == ({}, {"phone": frozenset()})
    assert 256 in made.can_ids_of(0)


def test_the_group_of_a_leaf_is_its_branch() -> None:
    assert group_of("Vehicle.Cabin.Door.IsOpen") == "Vehicle.Cabin"
    assert group_of("Message.Signal") == "Message"
