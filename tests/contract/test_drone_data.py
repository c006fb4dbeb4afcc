"""What is published in flights is what the schemas of `data` say, no key more."""

from pathlib import Path

from internetcar.contract.asyncapi import document
from internetcar.contract.drone import DroneEvent
from internetcar.contract.drone_events import EVENTS
from internetcar.contract.drone_methods import METHODS
from services.drone.geodesy import Offset, moved
from tests.drone_car import START
from tests.drone_world import World, point


def flown(folder: Path) -> World:
    """Two flights with a scout, a way point, a recall and a wind that is too strong."""
    world = World(folder, 1).ready()
    ahead = [point(moved(START, Offset(0.0, 60.0)))]
    assert world.ask(
        "flighttask_execute", data={"task": "scout", "points": ahead}
    ).data.output.status == "accepted"  # fmt: skip
    assert world.until(lambda: "scout_report" in said(world), 200.0)
    assert world.until_down(400.0)
    assert world.until_state("docked")
    world.run(20.0)
    reply = world.ask("takeoff_to_point", data={"target_height": 20.0}, bid="b")
    assert reply.data.output.status == "accepted", reply.data.output.detail
    assert world.until_state("on_task")
    assert world.ask("fly_to_point", data={"points": ahead}).data.output.status == "accepted"
    world.run(3.0)
    world.sky.wind_mps = 30.0
    world.change_weather = lambda told: told.model_copy(update={"wind_speed": 30.0})
    assert world.until(lambda: "interlock_trip" in said(world), 60.0)
    world.run(30.0)
    return world


def said(world: World) -> set[str]:
    return {each.method for each in world.heard if isinstance(each, DroneEvent)}


def test_every_event_of_a_flight_has_the_data_of_its_method(tmp_path: Path) -> None:
    world = flown(tmp_path)
    for each in [each for each in world.heard if isinstance(each, DroneEvent)]:
        again = DroneEvent.decode(each.topic, each.encode())
        EVENTS[again.method].model_validate(again.data, extra="forbid")
    assert said(world) >= {
        "flighttask_progress", "takeoff_to_point_progress", "fly_to_point_progress",
        "return_home_info", "interlock_trip", "scout_report",
    }  # fmt: skip
    for message in world.heard:
        type(message).decode(message.topic, message.encode())
    world.close()


def test_the_document_names_the_data_of_every_method() -> None:
    schemas = document("0")["components"]["schemas"]
    for name, methods in (("DroneRequest", METHODS), ("DroneEvent", EVENTS)):
        given = {
            each["if"]["properties"]["method"]["const"]: each["then"]["properties"]["data"]["$ref"]
            for each in schemas[name]["allOf"]
        }
        assert given == {
            method: f"#/components/schemas/{data.__name__}" for method, data in methods.items()
        }
    assert schemas["DroneRequest"]["properties"]["method"]["enum"] == list(METHODS)
    assert schemas["FlightTask"]["additionalProperties"] is False
