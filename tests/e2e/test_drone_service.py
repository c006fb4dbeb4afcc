"""The drone's service as a process: killed in a flight, and started twice."""

import signal
import socket
from collections.abc import Iterator

import pytest

from internetcar.launcher.broker import RunningBroker
from tests.bad_broker import MUTE, NOT_AUTHORIZED, bad_broker
from tests.e2e.drone_site import Site, health, launched, standing, state, until_ready
from tests.e2e.observer import Observer
from tests.e2e.stage import Stage
from tests.waiting import PATIENCE_S, eventually


@pytest.fixture
def site(stage: Stage, mosquitto: RunningBroker) -> Iterator[Site]:
    with standing(stage, mosquitto) as found:
        yield found


def test_a_second_service_for_one_drone_is_refused(site: Site) -> None:
    until_ready(site)
    second = site.serve()
    assert second.wait() == 2
    assert "another process flies this drone" in second.stderr


def test_a_second_service_elsewhere_is_told_of_and_the_first_flies_on(site: Site) -> None:
    words = "another service speaks for this drone"
    with Observer(site.broker) as observer:
        launched(site, "--height", "6")
        observer.until(lambda heard: b'"on_task"' in state(heard), 2 * PATIENCE_S)
        elsewhere = {
            "INTERNETCAR_DRONE_STATE": str(site.stage.folder / "elsewhere"),
            "INTERNETCAR_DRONE_URL": "udpout://127.0.0.1:9",
        }
        second = site.serve(**elsewhere)
        observer.until(lambda heard: words.encode() in health(heard), PATIENCE_S)
        assert words in site.drone("status").stdout
        assert b'"on_task"' in state(observer)
        assert site.drone("return").process.returncode == 0, site.service.stderr
        observer.until(lambda heard: b'"docked"' in state(heard), 2 * PATIENCE_S)
        again = site.drone("launch", "--height", "6", "--no-wait")
        assert again.process.returncode == 1
        assert words in again.stdout + again.stderr
        assert (site.service.is_running, second.is_running) == (True, True)
        assert second.end() == 0
        until_ready(site)


@pytest.mark.parametrize("answer", [NOT_AUTHORIZED, MUTE, None], ids=["refuses", "mute", "gone"])
def test_the_autopilot_is_not_kept_waiting_by_any_broker(
    stage: Stage, answer: bytes | None
) -> None:
    with bad_broker(answer) as url, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as autopilot:
        autopilot.bind(("127.0.0.1", 0))
        autopilot.settimeout(PATIENCE_S)
        settings = stage.folder / "drone.toml"
        port = autopilot.getsockname()[1]
        settings.write_text(f'vehicle_id = "demo"\nurl = "udpout://127.0.0.1:{port}"\n')
        stage.environ["INTERNETCAR_BROKER"] = url.secret
        service = stage.car("service", "drone", "--config", str(settings))
        autopilot.recv(2048)
        if answer is not NOT_AUTHORIZED:
            assert "no connection to" not in service.stderr, "it did not wait for the broker"
        eventually(lambda: "no connection to" in service.stderr)
        autopilot.recv(2048)
        assert service.is_running
        assert service.end() == 0


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
