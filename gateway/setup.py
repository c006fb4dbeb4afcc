"""Settings to databases and mapping: what must be read from disk before the first frame."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from gateway.assembly import Assembly, assemble
from gateway.databases import load_database
from gateway.mapping import Mapping, MappingError, parse_mapping
from gateway.mapping_rules import inherit
from gateway.pacing import Pace
from gateway.settings import GatewaySettings, SettingsError
from gateway.vehicles import Vehicle, load_vehicle
from gateway.vss import VssError, VssLeaf, parse_vss


class Setup:
    """The databases of a gateway, read once, and its mapping, read again when it changes."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._vehicle = load_vehicle(settings.vehicle) if settings.vehicle else None
        self.bus_names = [bus.name for bus in settings.buses]
        loaded = cache(load_database)
        self.databases = [
            [loaded(source) for source in bus.dbc or self._sources(bus.name)]
            for bus in settings.buses
        ]
        named = settings.mapping or (self._vehicle.mapping if self._vehicle else "")
        self.mapping_path = Path(named) if named else None
        self._vss = _read_vss(Path(settings.vss)) if settings.vss else None
        self._pacing = settings.pacing
        self._allow = settings.commands.allow
        self._seen = self._stamp()

    def assemble(self) -> Assembly:
        """Read the mapping and build a pipeline.

        Raises:
            MappingError: The mapping cannot be read, or has no leaf that fits the databases.
        """
        self._seen = self._stamp()
        mapping = read_mapping(self.mapping_path) if self.mapping_path else None
        if mapping is not None and self._vss is not None:
            mapping = inherit(mapping, self._vss)
        default_pace = Pace(
            interval_ns=self._pacing.interval_ms * 1_000_000,
            max_interval_ns=self._pacing.max_interval_ms * 1_000_000,
        )
        assembly = assemble(
            self.databases,
            self.bus_names,
            mapping,
            default_pace,
            is_paced=self._pacing.enabled,
            allow=self._allow,
        )
        if mapping is not None and not assembly.paths:
            found = [*assembly.errors, *assembly.warnings, "no leaf has a `dbc2vss`"]
            raise MappingError(f"{mapping.name}: nothing to say: {found[0]}")
        return assembly

    def is_changed(self) -> bool:
        """Whether the mapping file is another than the one last read."""
        return self._stamp() != self._seen

    def _sources(self, bus_name: str) -> Sequence[str]:
        if self._vehicle is None:
            raise SettingsError(
                f"bus {bus_name}: no DBC; name one (`dbc`) or a `vehicle`, or ask `car identify`"
            )
        return databases_of(self._vehicle, bus_name)

    def _stamp(self) -> tuple[int, int]:
        try:
            status = self.mapping_path.stat() if self.mapping_path else None
        except OSError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_size) if status else (0, 0)


def databases_of(vehicle: Vehicle, bus_name: str) -> Sequence[str]:
    """Where the databases of one bus of a vehicle line are.

    Raises:
        SettingsError: The line has no such bus, or its database must be brought.
    """
    bus = vehicle.buses.get(bus_name)
    if bus is None:
        names = ", ".join(vehicle.buses)
        raise SettingsError(f"bus {bus_name}: {vehicle.title} has {names}; name the bus so")
    if not bus.databases:
        raise SettingsError(f"bus {bus_name}: bring {bus.bring} from {bus.project} as its `dbc`")
    return bus.databases


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        MappingError: It is not there, or is no mapping.
    """
    try:
        return parse_mapping(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: cannot be read ({error})") from error


def _read_vss(path: Path) -> dict[str, VssLeaf]:
    try:
        return parse_vss(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise VssError(f"{path}: cannot be read ({error})") from error
