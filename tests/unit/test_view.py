"""The live view: what a person reads of a vehicle."""

import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from internetcar.contract.advice import ClimateRecommendation
from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.commands import CommandStatus
from internetcar.contract.payments import CurrencyBalance, WalletBalance
from internetcar.contract.presence import BusHealth, BusState, Health, Presence
from internetcar.contract.recommendations import (
    DestinationRecommendation,
    RecommendationOffer,
    SuggestedPlace,
)
from internetcar.contract.signals import Catalog, CatalogLeaf, Signal
from internetcar.contract.subscriptions import Received
from internetcar.contract.tolls import Crossing, TollPassage
from internetcar.launcher.show import subscribe_command, to_paste
from internetcar.launcher.view import VehicleView, render
from internetcar.launcher.view_words import command_line

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def heard() -> VehicleView:
    view = VehicleView("kona")
    view.on_catalog(
        Catalog(
            vehicle_id="kona",
            group="Vehicle",
            leaves={
                "Vehicle.Speed": CatalogLeaf(unit="km/h"),
                "Gear.G": CatalogLeaf(value_names={"5": "D"}),
            },
        )
    )
    view.on_signal(Signal(vehicle_id="kona", path="Vehicle.Speed", value=12.5, at=NOW))
    view.on_signal(
        Signal(vehicle_id="kona", path="Gear.G", value=5, at=NOW - timedelta(seconds=30))
    )
    return view


def shown(view: VehicleView, height: int = 40) -> str:
    console = Console(width=120, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        console.print(render(view, NOW, height, "mqtt://127.0.0.1:1883", "mosquitto_sub -t '#'"))
    return capture.get()


def test_before_anything_is_heard_it_says_that_it_waits() -> None:
    assert "waiting for the gateway" in shown(VehicleView("kona"))


def test_it_shows_value_unit_age_quality_buses_and_where_to_subscribe() -> None:
    view = heard()
    view.on_presence(
        Presence(
            vehicle_id="kona", online=True, asleep=True, journal="j", since=NOW, clock="free",
            origin="live", software="0", buses={"can0": BusState(interface="socketcan:can0")},
        )
    )  # fmt: skip
    view.on_health(
        Health(vehicle_id="kona", at=NOW, buses={"can0": BusHealth(load=0.25)}, outbox_batches=3)
    )
    text = shown(view)
    for said in ("online", "asleep", "12.5", "km/h", "5 D", "30 s", "valid", "25.0%", "up",
                 "backlog 3", "mqtt://127.0.0.1:1883", "mosquitto_sub -t '#'"):  # fmt: skip
        assert said in text


def test_the_command_to_subscribe_shows_our_certificate() -> None:
    place = Path("/a b")
    url = BrokerUrl(
        "pi", 8883, "alice", tls=True, ca=place / "ca", cert=place / "cert", key=place / "key"
    )
    words = shlex.split(" ".join(subscribe_command(url, "kona")))
    assert words[5:11] == ["--cert", "/a b/cert", "--key", "/a b/key", "--cafile", "/a b/ca"]
    assert "-u" not in words


@pytest.mark.parametrize("width", [40, 80, 300])
def test_the_command_to_subscribe_can_be_pasted_from_any_terminal(width: int) -> None:
    url = BrokerUrl("127.0.0.1", 1883, username="o'brien", password="a b$'")
    command = to_paste(subscribe_command(url, "kona"), width)
    words = [*shlex.split("mosquitto_sub -h 127.0.0.1 -p 1883 -u"), "o'brien", "-P", "a b$'"]
    words += ["-t", "v1/vehicle/kona/signal/#", "-v"]
    assert shlex.split(command.replace("\\\n", "")) == words  # as a shell reads it
    assert shlex.split(command.replace("\n", "")) == words  # where the terminal joins the lines
    *broken, last = command.splitlines()
    assert all(len(line) == width and line.endswith(" \\") for line in broken)
    assert len(last) <= width
    console = Console(width=width)
    with console.capture() as capture:
        console.print(render(VehicleView("kona"), NOW, 40, "b", command))
    assert all(line in capture.get().splitlines() for line in broken)


def test_a_small_terminal_says_how_many_signals_it_leaves_out() -> None:
    view = VehicleView("kona")
    for number in range(40):
        view.on_signal(Signal(vehicle_id="kona", path=f"A.B{number:02d}", value=1, at=NOW))
    text = shown(view, height=20)
    assert len([line for line in text.splitlines() if line.startswith("A.B")]) == 10
    assert "and 30 more" in text
    assert len(text.splitlines()) <= 20


def test_markup_in_a_name_is_shown_and_not_obeyed() -> None:
    view = VehicleView("kona")
    view.on_signal(Signal(vehicle_id="kona", path="A.B", value="[red]x[/]", at=NOW))
    assert "[red]x[/]" in shown(view)


def test_a_value_does_not_steer_the_terminal() -> None:
    view = VehicleView("kona")
    view.on_signal(
        Signal(vehicle_id="kona", path="A.B", value="\x1b]0;owned\x07\nfake = 1", at=NOW)
    )
    assert view.line("A.B", NOW).isprintable()
    assert "\x1b" not in shown(view)


@pytest.mark.parametrize(
    ("age_s", "said"),
    [(-5, "ahead of this clock"), (0.5, "now"), (30, "30 s"), (600, "10 min"), (9000, "2 h"),
     (400_000, "5 days")],
)  # fmt: skip
def test_an_age_is_said_in_the_unit_that_fits(age_s: float, said: str) -> None:
    view = VehicleView("kona")
    at = NOW - timedelta(seconds=age_s)
    view.on_signal(Signal(vehicle_id="kona", path="A.B", value=None, at=at))
    assert view.line("A.B", NOW) == f"A.B = —  ({said}, valid)"


def command(identifier: str, state: str, **more: object) -> CommandStatus:
    return CommandStatus.model_validate(
        {"vehicle_id": "kona", "id": identifier, "requester": "alice", "path": "Vehicle.Fan",
         "state": state, "final": state != "sent", "value": 40, "at": NOW, **more}
    )  # fmt: skip


def test_what_was_asked_is_shown_with_what_became_of_it() -> None:
    view = heard()
    for identifier in ("a", "b", "c", "d"):
        view.on_command(command(identifier, "sent"))
    view.on_command(command("b", "rejected", reason="only_when", path="Vehicle.\x1b[2J"))
    picture = shown(view)
    assert picture.count("alice asked Vehicle.Fan = 40  sent") == 2
    assert "rejected: only_when" in picture
    assert "\x1b[2J" not in picture


def test_what_became_of_a_command_is_seen_in_a_narrow_terminal() -> None:
    status = CommandStatus(
        vehicle_id="kona", requester="recommendations", state="confirmed", final=True, value=24.5,
        path="Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature", at=NOW,
    )  # fmt: skip
    line = command_line(status, 80)
    assert len(line) == 80
    assert line.startswith("recommendations asked …")
    assert line.endswith("Row1.Driver.Temperature = 24.5  confirmed")
    assert status.path in command_line(status)


def test_how_to_set_something_is_shown_where_something_can_be_set() -> None:
    view = heard()
    assert "car set" not in shown(view)
    leaves = {
        "Vehicle.Horn": CatalogLeaf(settable=True, momentary=True),
        "Vehicle.LightSwitch": CatalogLeaf(settable=True),
        "Vehicle.Speed": CatalogLeaf(settable=True, step=0.5),
    }
    view.on_catalog(Catalog(vehicle_id="kona", group="Vehicle", leaves=leaves))
    assert "car set Vehicle.Speed 12.5" in shown(view)
    del view.signals["Vehicle.Speed"]
    assert "car set Vehicle.Speed VALUE" in shown(view)


def passage(revision: int, fee_minor: int, number: int = 1) -> TollPassage:
    return TollPassage(
        vehicle_id="kona", passage_id=f"p{number}", revision=revision,
        state="proven" if fee_minor else "unresolved",
        crossing=Crossing(gate="36", label="AYE\u202e[2J", crossed_at=NOW, uncertainty_ms=40),
        context="singapore", context_version="2026.1", fee_minor=fee_minor, currency="SGD",
        words=["08:05-08:25", "car"], origin="simulation", at=NOW,
    )  # fmt: skip


def balance(entries: int, available_minor: int, held_minor: int = 0) -> WalletBalance:
    each = CurrencyBalance(available_minor=available_minor, held_minor=held_minor)
    return WalletBalance(account="family", balances={"SGD": each}, entries=entries, at=NOW)


def test_it_shows_what_was_passed_what_it_cost_and_what_is_left() -> None:
    view = heard()
    assert view.on_passage(passage(1, 0))
    assert "toll 36 = unresolved, 0.00 SGD  03:00:00 UTC, AYE\ufffd[2J" in shown(view)
    assert view.on_passage(passage(2, 200))
    assert not view.on_passage(passage(1, 0)), "an older revision is no news"
    assert view.on_balance(balance(7, 1800, 50))
    assert not view.on_balance(balance(6, 2000))
    text = shown(view)
    assert "toll 36 = 2.00 SGD  03:00:00 UTC, AYE\ufffd[2J\n     08:05-08:25; car\n" in text
    assert "unresolved" not in text
    assert "wallet family = 18.00 SGD and 0.50 SGD held" in text


def test_it_shows_the_newest_passages_only_and_keeps_its_height() -> None:
    view = heard()
    for number in range(1, 9):
        view.on_passage(passage(1, 100 * number, number))
    view.on_balance(balance(1, -5))
    text = shown(view, height=24)
    assert "5.00 SGD" not in text
    assert text.index("6.00 SGD") < text.index("8.00 SGD") < text.index("wallet family = -0.05")
    assert len(text.splitlines()) <= 24


def test_in_a_low_terminal_an_offer_stands_before_tolls_and_drone() -> None:
    view = VehicleView("kona")
    view.drone_lines.append("drone: it flies")
    offer = {
        "vehicle_id": "kona", "trip_id": "t", "driver": "anna", "origin": "live", "at": NOW,
        "offer_id": "o1", "kind": "climate", "probability": 0.9,
    }  # fmt: skip
    view.suggestions.on_offer(RecommendationOffer.model_validate(offer))
    for height, is_first in ((24, True), (50, False)):
        text = shown(view, height)
        assert (text.index("reject o1") < text.index("it flies")) is is_first


def test_a_low_terminal_shows_three_places_what_is_withdrawn_and_an_offer() -> None:
    view = heard()
    for number in range(1, 5):
        view.on_passage(passage(1, 100 * number, number))
    for number in range(4):
        view.drone_lines.append(f"drone: thing {number}")
    common: dict[str, Any] = {
        "vehicle_id": "kona", "trip_id": "t", "driver": "anna", "origin": "live", "at": NOW,
    }  # fmt: skip
    places = [
        SuggestedPlace(
            place_id=f"place-{share}", latitude=1, longitude=2, probability=share / 100,
            because=f"Because 7 of your 8 trips from home on workdays went to place-{share}.",
        )
        for share in (70, 20, 9)
    ]  # fmt: skip
    for said in (
        DestinationRecommendation(**common, places=places, somewhere_new=0.01),
        ClimateRecommendation(**common, settings=[], similar_trips=9, is_withdrawn=True),
    ):
        view.suggestions.on_received(Received(said.topic, said.encode()))
    view.suggestions.on_offer(
        RecommendationOffer(
            **common, offer_id="o1", probability=0.7, kind="destination", place=places[0]
        )
    )
    text = shown(view, 24)
    assert len(text.splitlines()) <= 24
    for words in ("70 % place-70", "20 % place-20", "9 % place-9", "withdrawn", "reject o1"):
        assert words in text
    assert "drone: thing 3" in text, "of all else the newest"
