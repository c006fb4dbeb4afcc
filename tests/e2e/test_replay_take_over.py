"""`car replay --take-over` of a vehicle that a live gateway speaks for."""

import signal

from internetcar.launcher.broker import RunningBroker
from tests.e2e.live_car import VEHICLE, gateway, traffic
from tests.e2e.observer import Observer
from tests.e2e.small_car import DBC, log_lines, speed_frame
from tests.e2e.stage import Stage
from tests.waiting import eventually


def test_a_replay_that_takes_over_wins_and_the_gateway_notices(
    mosquitto: RunningBroker, stage: Stage
) -> None:
    dbc, log = stage.folder / "taken.dbc", stage.folder / "taken.log"
    dbc.write_text(DBC)
    log.write_text(log_lines([speed_frame(speed) for speed in range(50)], period_s=0.1))
    with traffic(), Observer(mosquitto.url) as observer:
        running = gateway(stage, mosquitto.url)
        live = observer.until_presence(online=True)
        played = stage.car(
            *("replay", str(log), "--dbc", f"can0={dbc}", "--vehicle-id", VEHICLE),
            *("--broker", mosquitto.url.secret, "--loop", "--fresh", "--take-over"),
        )
        eventually(lambda: "another gateway (journal" in running.stderr)
        observer.until_more("health", 2)
        with Observer(mosquitto.url, f"v1/vehicle/{VEHICLE}/presence") as late:
            heard = late.until_presence(online=True)
        assert heard["origin"] == "recording"
        assert heard["journal"] != live["journal"]
        played.send(signal.SIGINT)
        assert played.wait() == 0, played.stderr
        assert running.is_running
