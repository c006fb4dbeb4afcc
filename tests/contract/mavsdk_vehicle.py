"""A vehicle made of MAVSDK's server plugins; says on standard output what it was asked.

`python -m tests.contract.mavsdk_vehicle URL`; it ends when its standard input does.
"""

import select
import sys
from typing import Any

from mavsdk.component_type import ComponentType
from mavsdk.mavsdk import Configuration, Mavsdk
from mavsdk.plugins.action_server.action_server import ActionServer
from mavsdk.plugins.mission_raw_server.mission_raw_server import MissionRawServer
from mavsdk.plugins.param_server.param_server import ParamServer
from mavsdk.plugins.telemetry_server.telemetry_server import (
    FixType,
    GpsInfo,
    Heading,
    LandedState,
    Position,
    RawGps,
    StatusText,
    StatusTextType,
    TelemetryServer,
    TelemetryServerError,
    VelocityNed,
    VtolState,
)


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201


def main(url: str) -> None:
    """Fly nowhere, and tell about it ten times a second."""
    mavsdk = Mavsdk(Configuration.create_with_component_type(ComponentType.AUTOPILOT))
    component = mavsdk.server_component()
    telemetry, actions = TelemetryServer(component), ActionServer(component)
    parameters, missions = ParamServer(component), MissionRawServer(component)
    actions.set_armable(True, True)
    actions.set_disarmable(True, True)
    actions.set_allow_takeoff(True)
    actions.subscribe_arm_disarm(lambda _result, asked, _user: say("arm", bool(asked.arm)))
    actions.subscribe_takeoff(lambda *_asked: say("take-off"))
    parameters.provide_param_int("OUR_STATION", 255)
    parameters.provide_param_float("CEILING", 400.0)
    parameters.subscribe_changed_param_int(lambda changed, _user: say(changed.name, changed.value))
    parameters.subscribe_changed_param_float(
        lambda changed, _user: say(changed.name, changed.value)
    )
    missions.subscribe_incoming_mission(
        lambda _result, plan, _user: say("items", len(plan.mission_items))
    )
    mavsdk.subscribe_on_new_system(lambda *_user: say("station"))
    say("connected", int(mavsdk.add_any_connection(url)))
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        try:
            publish(telemetry)
        except TelemetryServerError:
            continue  # nobody is there yet
    mavsdk.destroy()


def publish(telemetry: Any) -> None:
    telemetry.publish_position(
        Position(47.25, 8.5, 500.0, 12.5), VelocityNed(1.0, 2.0, -3.0), Heading(90.0)
    )
    telemetry.publish_home(Position(47.125, 8.5, 487.5, 0.0))
    telemetry.publish_extended_sys_state(VtolState.UNDEFINED, LandedState.ON_GROUND)
    raw = RawGps(1, 47.25, 8.5, 500.0, 1.0, 1.0, 1.0, 90.0, 490.0, 1.0, 1.0, 1.0, 1.0, 0.0)
    telemetry.publish_raw_gps(raw, GpsInfo(12, FixType.FIX_3D))
    telemetry.publish_status_text(StatusText(StatusTextType.WARNING, "made by others"))


if __name__ == "__main__":
    main(sys.argv[1])
