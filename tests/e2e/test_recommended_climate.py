"""An accepted climate offer changes the car, and the answer says what the car showed."""

import json
import time
from datetime import UTC, datetime, timedelta

from internetcar.contract.recommendations import RecommendationOffer
from internetcar.launcher.broker import RunningBroker
from services.recommendations.store import open_store
from tests.contract.test_recommendations_accepting import FAN, WARM, Cosy
from tests.e2e import command_car
from tests.e2e.command_car import VEHICLE, Desk, ecu, gateway
from tests.e2e.stage import PYTHON, Actor, Stage
from tests.recommendation_trips import HOME, WORK, Service, ended, started
from tests.waiting import PATIENCE_S, eventually

RULES = (
    command_car.mapping()
    .replace(json.dumps(command_car.TEMPERATURE), json.dumps(WARM))
    .replace(json.dumps(command_car.FAN), json.dumps(FAN))
)


def offered(store: str) -> str:
    """The store of a service that has made an offer; its id."""
    now = datetime.fromtimestamp(time.time() // 60 * 60, UTC)
    database = open_store(store)
    service = Service(database, now, advisers=(Cosy(),))
    for number in range(12):
        trip = started(now - timedelta(days=number + 1), HOME, f"t{number}", vehicle_id=VEHICLE)
        service.hear(ended(trip, WORK))
    service.hear(started(now, HOME, vehicle_id=VEHICLE))
    offers = [each for each in service.take() if isinstance(each, RecommendationOffer)]
    database.close()
    return next(each.offer_id for each in offers if each.kind == "climate")


def recommendations(stage: Stage, broker: RunningBroker, store: str) -> Actor:
    path = stage.folder / "recommendations.toml"
    path.write_text(f'store = {json.dumps(store)}\n[allow]\ncar = ["feedback"]\n')
    actor = stage.start(
        PYTHON, "-m", "services", "recommendations", str(path),
        environ={"INTERNETCAR_BROKER": broker.url.secret},
    )  # fmt: skip
    eventually(
        lambda: "recommendations runs on" in actor.stderr or not actor.is_running, PATIENCE_S
    )
    assert actor.is_running, actor.stderr
    return actor


def test_an_accepted_climate_offer_changes_the_car_and_is_done_when_the_car_shows_it(
    stage: Stage, mosquitto: RunningBroker
) -> None:
    store = str(stage.folder / "recommendations.sqlite")
    offer_id = offered(store)
    where = ("--vehicle-id", VEHICLE, "--broker", mosquitto.url.secret)
    listed = stage.ended("recommend", "list", "--store", store)
    assert "set Driver Temperature 21.5, Driver FanSpeed 40" in listed.stdout, listed.stderr
    with ecu() as car, Desk(mosquitto.url) as desk:
        gateway(stage, mosquitto.url, rules=RULES, allow={"recommendations": [WARM, FAN]})
        recommendations(stage, mosquitto, store)
        desk.until_heard(WARM)
        accepted = stage.ended("recommend", "accept", offer_id, *where)
        assert accepted.stdout.splitlines()[-1] == (
            "done: confirmed by the car: Driver FanSpeed 40, Driver Temperature 21.5"
        ), accepted.stderr
        assert (accepted.wait(), car.temperature_c, car.fan_pct) == (0, 21.5, 40)
        frames = len(car.heard)
        again = stage.ended("recommend", "accept", offer_id, *where)
        assert again.stdout == accepted.stdout.splitlines()[-1] + "\n"
        assert len(car.heard) == frames, "nothing is sent again"
