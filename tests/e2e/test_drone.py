"""The drone's service and a simulated copter as processes, asked by `car drone`."""

from collections.abc import Iterator

import pytest

from internetcar.launcher.broker import RunningBroker
from tests.e2e.drone_site import LAT, LON, Site, launched, standing, state, until_ready
from tests.e2e.observer import Observer
from tests.e2e.stage import Stage
from tests.waiting import PATIENCE_S, eventually


@pytest.fixture
def site(stage: Stage, mosquitto: RunningBroker) -> Iterator[Site]:
    with standing(stage, mosquitto) as found:
        yield found


def test_it_takes_off_stops_comes_home_and_decides_the_same_again(site: Site) -> None:
    until_ready(site)
    dry_run = ("dry-run", "--task", "inspect")
    eventually(lambda: site.drone(*dry_run).process.returncode == 0, 2 * PATIENCE_S)
    with Observer(site.broker) as observer:
        asked = ("--to", f"{LAT + 0.0002},{LON}", "--height", "8", "--no-wait")
        identifier = launched(site, *asked)
        observer.until(lambda heard: b'"on_task"' in state(heard), 2 * PATIENCE_S)
        again = site.drone("launch", *asked, "--id", identifier)
        assert again.process.returncode == 0, "the same request again"
        assert again.stdout.startswith("accepted")
        busy = site.drone("launch", "--height", "6")
        assert (busy.process.returncode, "rejected: busy" in busy.stdout) == (1, True)
        assert site.drone("stop").process.returncode == 0
        home = site.drone("return")
        assert home.process.returncode == 0, home.stdout + site.service.stderr
        observer.until(lambda heard: b'"docked"' in state(heard))
        takeoffs = [each for each in observer.of("drone") if b'"state":"takeoff"' in each.payload]
        assert len(takeoffs) == 1
    assert "docked" in site.drone("status").stdout
    assert site.service.end() == 0
    assert "Traceback" not in site.service.stderr
    (record,) = site.records.iterdir()
    replayed = site.drone("replay", str(record))
    assert (replayed.process.returncode, replayed.stdout) == (0, "the same decisions\n")


def test_a_launch_while_driving_is_refused_in_words(site: Site) -> None:
    until_ready(site)
    site.car.speed_kmh = 50.0
    with Observer(site.broker) as observer:
        observer.until_more("position")
    refused = site.drone("launch", "--task", "scout")
    assert refused.process.returncode == 1
    assert "rejected: interlock: the car drives 50 km/h" in refused.stdout
    assert "car_at_rest" in refused.stdout
