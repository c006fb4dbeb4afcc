"""The gateway's settings: every key, its default, and what it means, in one place."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.bus_settings import BusSettings, ObdSettings
from internetcar.contract.message import Name
from internetcar.contract.presence import Origin
from internetcar.contract.settings import SettingsError, layered, read_toml

ENVIRONMENT_PREFIX = "INTERNETCAR_GATEWAY_"
_EXAMPLE_BITRATE = "500000"
"""What the template shows for a bit rate, which has no default."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PacingSettings(_Section):
    """What a leaf does where its mapping says nothing."""

    enabled: bool = Field(default=True, description="false: every changed signal of every frame")
    interval_ms: int = Field(default=100, ge=0, description="at least this between two samples")
    max_interval_ms: int = Field(
        default=60_000, ge=0, description="an unchanged value is said again after this; 0 never"
    )


class TelemetrySettings(_Section):
    """The log and how long it is kept."""

    batch_ms: int = Field(default=1000, ge=100, le=10_000, description="a batch covers this much")
    snapshot_s: int = Field(default=60, ge=5, description="every leaf is said whole this often")
    in_flight: int = Field(
        default=20, ge=1, le=1000, description="batches sent and not yet acknowledged"
    )
    unsent_mib: int = Field(
        default=1024,
        ge=1,
        description="room for what the broker has not got; beyond it the oldest is given up, and"
        " says so",
    )
    history_mib: int = Field(default=256, ge=0, description="room for what readers may ask again")
    history_hours: int = Field(default=24, ge=0, description="and how long it is kept at most")


_Glob = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.@*?-]{1,200}$")]


class CommandSettings(_Section):
    """Who may set what. A leaf can be set only where the mapping lets it be, and its bus sends."""

    allow: dict[Name, list[_Glob]] = Field(
        default_factory=dict,
        description='for each requester globs of VSS paths, as {alice = ["Vehicle.Cabin.*"]}',
    )
    requester_rate_hz: float = Field(
        default=10.0,
        gt=0,
        le=1000,
        description="commands a second of one requester, in the long run",
    )
    trust_clock: bool = Field(
        default=False,
        description="believe `expires_at` though no time source sets this clock: only where sender,"
        " broker and gateway read the same one",
    )


class HomeAssistantSettings(_Section):
    """How the vehicle shows in Home Assistant, by its MQTT discovery."""

    enabled: bool = Field(default=True, description="announce the vehicle as a device")
    prefix: Name = Field(
        default="homeassistant", description="the discovery prefix of its MQTT integration"
    )
    requester: Name = Field(
        default="home-assistant",
        description="as whom it sends commands: the user name it has at the broker",
    )
    name: str = Field(
        default="", max_length=100, description="what the device is called; empty: the vehicle_id"
    )


class GatewaySettings(BaseSettings):
    """All settings of one gateway; `internetcar.toml` is this, written out.

    `INTERNETCAR_GATEWAY_VEHICLE_ID=…` and so on stand above the file, for containers; what is given
    on the command line stands above both.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    vehicle_id: Name = Field(
        default="car", description="letters, digits, - and _; advise a pseudonym, not the VIN"
    )
    broker: str = Field(
        default="",
        description="mqtt://user:password@host:port or mqtts://…; empty: INTERNETCAR_BROKER, else"
        " the `car up` that runs here",
    )
    state: str = Field(
        default="", description="folder for what must last; empty: $XDG_STATE_HOME/internetcar"
    )
    vehicle: str = Field(
        default="",
        description="a vehicle line of ours (`reference`, `hyundai_kona_ev`, …) or a folder: gives"
        " DBC files and mapping",
    )
    mapping: str = Field(
        default="",
        description="mapping file (KUKSA JSON or .vspec); empty: the vehicle's, or Message.Signal",
    )
    vss: str = Field(default="", description="a VSS release (JSON) to check the mapping against")
    origin: Origin = Field(
        default="live", description="live; simulation where the frames come from a simulated car"
    )
    asleep_after_s: float = Field(
        default=10.0, gt=0, description="every bus silent for this long: the car is asleep"
    )
    buses: list[BusSettings] = Field(
        default_factory=lambda: [BusSettings()], description="the CAN buses, at least one"
    )
    pacing: PacingSettings = Field(default_factory=PacingSettings)
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)
    commands: CommandSettings = Field(default_factory=CommandSettings)
    home_assistant: HomeAssistantSettings = Field(default_factory=HomeAssistantSettings)
    obd: ObdSettings = Field(default_factory=ObdSettings)

    @field_validator("buses")
    @classmethod
    def _asks_one(cls, buses: list[BusSettings]) -> list[BusSettings]:
        if len(asked := [bus.name for bus in buses if bus.obd is True]) > 1:
            raise ValueError(f"one bus can be asked over OBD-II, not {', '.join(asked)}")
        return buses


def load_settings(path: Path, **named: Any) -> GatewaySettings:
    """Read `internetcar.toml`; above it stands the environment, and above that what is `named`.

    Raises:
        SettingsError: No such file, not TOML, an unknown key or an impossible value; one line.
    """
    below = read_toml(path, "; `car init` writes one")
    try:
        return make_settings(below, **named)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def make_settings(below: Mapping[str, Any] | None = None, /, **named: Any) -> GatewaySettings:
    """Settings from their keys; sections may be given as they are or as mappings.

    Args:
        below: What holds where neither the environment nor `named` says anything.
        named: What holds whatever the environment says.

    Raises:
        SettingsError: An unknown key or an impossible value; one line.
    """
    return layered(GatewaySettings, below or {}, named)


def template() -> str:
    """`internetcar.toml` with every key, its meaning, and its default; the keys commented out."""
    lines = [
        "# Settings of the gateway. Each key shows its default, or an example where it has",
        "# (no default); remove the # to change it.",
        "",
    ]
    lines += _commented(GatewaySettings)
    lines += ["", "# One [[buses]] section for each CAN bus.", "[[buses]]"]
    lines += _commented(BusSettings)
    sections: dict[str, type[BaseModel]] = {
        "pacing": PacingSettings,
        "telemetry": TelemetrySettings,
        "commands": CommandSettings,
        "home_assistant": HomeAssistantSettings,
        "obd": ObdSettings,
    }
    for name, section in sections.items():
        lines += ["", f"# {(section.__doc__ or '').splitlines()[0]}", f"[{name}]"]
        lines += _commented(section)
    return "\n".join(lines) + "\n"


def _commented(section: type[BaseModel]) -> list[str]:
    lines = []
    for name, field in section.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        if isinstance(default, BaseModel) or name == "buses":
            continue
        note = "  # (no default)" if default is None else ""
        lines += [f"# {field.description}", f"# {name} = {_toml(default)}{note}"]
    return lines


def _toml(value: Any) -> str:
    if value is None:
        return _EXAMPLE_BITRATE
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, int | float | list | dict) else f'"{value}"'
