"""The drone's service as a process: killed in a flight, and started twice."""

import signal
from collections.abc import Iterator

import pytest

from internetcar.launcher.broker import RunningBroker
from tests.e2e.drone_site import Site, launched, standing, state, until_ready
from tests.e2e.observer import Observer
from tests.e2e.stage import Stage
from tests.waiting import PATIENCE_S


@pytest.fixture
def site(stage: Stage, mosquitto: RunningBroker) -> Iterator[Site]:
    with standing(stage, mosquitto) as found:
        yield found


def test_a_second_service_for_one_drone_is_refused(site: Site) -> None:
    until_ready(site)
    second = site.serve()
    assert second.wait() == 2
    assert "another process flies this drone" in second.stderr


def test_a_second_service_elsewhere_ends_with_words_and_the_first_flies_on(site: Site) -> None:
    with Observer(site.broker) as observer:
        launched(site, "--height", "6")
        observer.until(lambda heard: b'"on_task"' in state(heard), 2 * PATIENCE_S)
        elsewhere = site.stage.folder / "elsewhere"
        second = site.serve(
            INTERNETCAR_DRONE_STATE=str(elsewhere), INTERNETCAR_DRONE_URL="udpout://127.0.0.1:9"
        )
        assert second.wait() == 2
        assert "another service flies drone1 of demo on this broker since 20" in second.stderr
        assert "Traceback" not in second.stderr
        assert b'"on_task"' in state(observer)
        assert site.drone("return").process.returncode == 0, site.service.stderr


def test_a_service_that_is_killed_takes_the_flight_over(site: Site) -> None:
    with Observer(site.broker) as observer:
        identifier = launched(site, "--height", "6")
        observer.until(lambda heard: b'"on_task"' in state(heard), 2 * PATIENCE_S)
        site.service.send(signal.SIGKILL)
        site.service.wait()
        site.serve()
        observer.until(lambda heard: b'"on_task"' not in state(heard), 2 * PATIENCE_S)
        observer.until(lambda heard: b'"docked"' in state(heard), 2 * PATIENCE_S)
        again = site.drone("launch", "--height", "6", "--id", identifier, "--no-wait")
        assert again.process.returncode == 0, "the stored answer"
        observer.until_more("position")
        assert b'"docked"' in state(observer)
