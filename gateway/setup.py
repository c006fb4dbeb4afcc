"""Settings to databases and mapping: what must be read from disk before the first frame."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from gateway.assembly import Assembly, assemble
from gateway.bus_settings import BusSettings
from gateway.bus_spec import BusSpec
from gateway.databases import load_database
from gateway.mapping import Mapping, MappingError, parse_mapping
from gateway.mapping_rules import inherit
from gateway.pacing import Pace
from gateway.settings import GatewaySettings
from gateway.told import told_leaves
from gateway.vehicles import Vehicle, load_vehicle
from gateway.vss import VssError, VssLeaf, parse_vss
from internetcar.contract.settings import SettingsError


class Setup:
    """The databases of a gateway, read once, and its mapping, read again when it changes."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._vehicle = load_vehicle(settings.vehicle) if settings.vehicle else None
        self.bus_names = [bus.name for bus in settings.buses]
        loaded = cache(load_database)
        self.databases = [
            [loaded(source) for source in bus.dbc or self._sources(bus)] for bus in settings.buses
        ]
        named = settings.mapping or (self._vehicle.mapping if self._vehicle else "")
        self.mapping_path = Path(named) if named else None
        self._vss = _read_vss(Path(settings.vss)) if settings.vss else None
        self._pacing = settings.pacing
        self._allow = settings.commands.allow
        self._told = told_leaves(settings.buses, self._pacing.max_interval_ms)
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
            told=self._told,
        )
        if mapping is not None and not assembly.pipeline.leaves:
            found = [*assembly.errors, *assembly.warnings, "no leaf has a `dbc2vss`"]
            raise MappingError(f"{mapping.name}: nothing to say: {found[0]}")
        return assembly

    def is_changed(self) -> bool:
        """Whether the mapping file is another than the one last read."""
        return self._stamp() != self._seen

    def _sources(self, bus: BusSettings) -> Sequence[str]:
        says_enough = bool(bus.obd) or bus.j1939
        if self._vehicle is None:
            if says_enough:
                return ()
            raise SettingsError(
                f"bus {bus.name}: no DBC; name one (`dbc`) or a `vehicle`, or ask `car identify`;"
                " without any, --obd asks the car what it knows"
            )
        if says_enough and bus.name not in self._vehicle.buses:
            return ()
        return databases_of(self._vehicle, bus.name)

    def _stamp(self) -> tuple[int, int]:
        try:
            status = self.mapping_path.stat() if self.mapping_path else None
        except OSError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_size) if status else (0, 0)


def bus_specs(settings: GatewaySettings, assembly: Assembly) -> list[BusSpec]:
    """The buses to open, for what an assembly needs of them."""
    return [
        BusSpec(
            name=bus.name,
            interface=bus.interface,
            channel=bus.channel,
            bitrate=bus.bitrate,
            data_bitrate=bus.data_bitrate,
            fd=bus.fd,
            transmit=bus.transmit,
            listen_only=bus.listen_only,
            can_ids=frozenset(assembly.can_ids_of(index)) if _is_filtered(bus) else None,
        )
        for index, bus in enumerate(settings.buses)
    ]


def _is_filtered(bus: BusSettings) -> bool:
    """OBD-II and J1939 hear ids that no database has."""
    return bus.known_ids_only and not bus.obd and not bus.j1939


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
