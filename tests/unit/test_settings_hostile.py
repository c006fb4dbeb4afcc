"""A name or glob in the settings says no more than a name or glob."""

from typing import Any

import pytest

from gateway.actuators import allowed_paths
from gateway.settings import make_settings
from internetcar.contract.settings import SettingsError

NAMES = [
    "a/b", "+", "#", "a+", "a#", "%u", "%c", "a b", " a", "a ", "a\n", "\na", "a\0", "$SYS", "ä",
    "\N{CYRILLIC SMALL LETTER A}lice", "alice\u200b", "", ".", "..", "a.b", "x" * 37, "*",
    "a\ttopic readwrite #",
]  # fmt: skip
GLOBS = [
    "a/b", "+", "#", "%u", "a b", "a\n", "a\0", "$x", "ä", "", "[a-z]", "!a", "{a,b}", "x" * 201,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_vehicle_or_requester_is_a_name(name: str) -> None:
    with pytest.raises(SettingsError, match="vehicle_id"):
        make_settings(vehicle_id=name)
    with pytest.raises(SettingsError, match=r"commands\.allow"):
        make_settings(commands={"allow": {name: ["*"]}})


@pytest.mark.parametrize("glob", GLOBS)
def test_what_a_requester_may_set_is_a_glob_of_paths(glob: str) -> None:
    with pytest.raises(SettingsError, match=r"commands\.allow"):
        make_settings(commands={"allow": {"alice": [glob]}})


def test_a_glob_lets_nothing_be_set_that_the_mapping_does_not() -> None:
    assert allowed_paths({"alice": ["*"]}, {}, []) == {"alice": frozenset()}


@pytest.mark.parametrize("allow", [["*"], {"alice": "*"}, {"alice": None}, "*", {"alice": [1]}])
def test_who_may_set_what_has_one_shape(allow: Any) -> None:
    with pytest.raises(SettingsError, match=r"commands\.allow"):
        make_settings(commands={"allow": allow})
