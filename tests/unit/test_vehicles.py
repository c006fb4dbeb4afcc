from pathlib import Path

import pytest

from gateway.mapping import parse_mapping
from gateway.vehicles import VehicleError, load_vehicle, vehicle_names


@pytest.mark.parametrize("name", vehicle_names())
def test_every_vehicle_line_of_ours_is_whole(name: str) -> None:
    vehicle = load_vehicle(name)

    rules = parse_mapping(Path(vehicle.mapping).read_text(encoding="utf-8"), name)
    assert rules.warnings == ()
    assert rules.leaves
    assert vehicle.title
    for bus in vehicle.buses.values():
        assert bool(bus.databases) != bool(bus.bring and bus.project)
        for source in bus.databases:
            assert source.startswith("opendbc:") or Path(source).is_file()


def test_a_bus_is_a_file_several_or_one_to_bring(tmp_path: Path) -> None:
    (tmp_path / "vehicle.toml").write_text(
        'title = "Mine"\nmapping = "m.json"\n[buses]\na = "a.dbc"\nb = ["opendbc:x", "b.dbc"]\n'
        'c = { bring = "c.dbc", project = "example.org/c" }\n',
        encoding="utf-8",
    )

    vehicle = load_vehicle(str(tmp_path))

    assert vehicle.mapping == str(tmp_path / "m.json")
    assert vehicle.buses["a"].databases == (str(tmp_path / "a.dbc"),)
    assert vehicle.buses["b"].databases == ("opendbc:x", str(tmp_path / "b.dbc"))
    assert (vehicle.buses["c"].bring, vehicle.buses["c"].databases) == ("c.dbc", ())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("title = ", "vehicle.toml"),
        ('title = "x"', "mapping: Field required"),
        ('title = "x"\nmapping = "m"\nbuses = 3', "buses"),
        ('title = "x"\nmapping = "m"\n[buses]\na = 3', "buses.a"),
    ],
)
def test_a_broken_vehicle_file_is_one_error(tmp_path: Path, text: str, names: str) -> None:
    (tmp_path / "vehicle.toml").write_text(text, encoding="utf-8")

    with pytest.raises(VehicleError) as caught:
        load_vehicle(str(tmp_path))

    assert names in str(caught.value)


def test_an_unknown_vehicle_says_which_there_are() -> None:
    with pytest.raises(VehicleError, match=r"nothing: no vehicle\.toml there; ours are .*kona"):
        load_vehicle("nothing")


def test_a_file_is_not_a_vehicles_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(VehicleError, match="Not a directory"):
        load_vehicle(str(file))
