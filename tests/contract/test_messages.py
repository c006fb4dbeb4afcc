"""Every message survives the wire; the hot path's encoders write the same bytes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internetcar.contract import wire
from internetcar.contract.advice import (
    ClimateRecommendation,
    EcoAdvice,
    EcoHint,
    MediaRecommendation,
    SeatRecommendation,
    StopRecommendation,
    SuggestedItem,
    SuggestedSetting,
    SuggestedStop,
)
from internetcar.contract.commands import Command, CommandAnswer, CommandStatus
from internetcar.contract.drone import (
    DroneEvent,
    DroneOsd,
    DronePresence,
    DroneReply,
    DroneRequest,
    DroneState,
    DroneWeather,
    Interlock,
    ReplyData,
    ReplyOutput,
)
from internetcar.contract.drone_health import DroneHealth
from internetcar.contract.home_assistant import AnnouncedBy, AnnouncedDevice, DeviceAnnouncement
from internetcar.contract.message import ContractError, Message, Value
from internetcar.contract.payments import (
    CurrencyBalance,
    PaymentRequest,
    PaymentResult,
    StatementLine,
    StatementRequest,
    WalletBalance,
    WalletReceipt,
    WalletStatement,
)
from internetcar.contract.presence import BusHealth, BusState, Health, Presence
from internetcar.contract.recommendations import (
    DestinationRecommendation,
    KnownPlace,
    KnownVisit,
    RecommendationAnswer,
    RecommendationControl,
    RecommendationFeedback,
    RecommendationOffer,
    SuggestedPlace,
)
from internetcar.contract.signals import Catalog, CatalogLeaf, Position, Signal
from internetcar.contract.telemetry import RepairedTelemetry, Telemetry, TelemetryRequest
from internetcar.contract.tolls import (
    BillingDetails,
    Crossing,
    ExceptionEntry,
    ExceptionList,
    TollCharge,
    TollDeclaration,
    TollPassage,
)
from internetcar.contract.trips import (
    Driving,
    HarshEvent,
    Place,
    SettingChange,
    TripEnded,
    TripProgress,
    TripStarted,
)

AT = datetime(2026, 11, 21, 3, 0, 0, 123_000, tzinfo=UTC)
CROSSING = Crossing(gate="36", label="AYE towards City", crossed_at=AT, uncertainty_ms=40)
WINDY = Interlock(
    id="wind", value=11.0, limit=8.0, result="tripped", words="wind 11 m/s, at most 8"
)
WARMER = SuggestedSetting(
    path="Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature", value=21.5, now=20, probability=0.9
)
SUGGESTED = SuggestedPlace(
    place_id="place-1", latitude=1.3, longitude=103.8, label="work", probability=0.8125,
    because="Because 8 of your 9 trips on workdays at about this time went to work.",
)  # fmt: skip
MESSAGES: list[Message] = [
    DroneRequest(
        vehicle_id="kona", drone_id="d1", requester="alice", tid="t1", timestamp=1, dry_run=True,
        method="flighttask_execute", data={"task": "scout"},
    ),
    DroneReply(
        vehicle_id="kona", drone_id="d1", requester="alice", tid="t1", timestamp=1,
        method="flighttask_execute",
        data=ReplyData(
            result=1, output=ReplyOutput(status="rejected", reason="interlock", interlocks=[WINDY])
        ),
    ),
    DroneEvent(
        vehicle_id="kona", drone_id="d1", tid="t1", timestamp=1,
        method="flighttask_progress", data={"status": "ok"},
    ),
    DroneState(vehicle_id="kona", drone_id="d1", state="docked", since=AT, interlocks=[WINDY]),
    DroneOsd(vehicle_id="kona", drone_id="d1", at=AT, mode_code=0, mode="GUIDED", armed=False),
    DronePresence(vehicle_id="kona", drone_id="d1", online=True, since=AT),
    DroneHealth(vehicle_id="kona", drone_id="d1", at=AT, strangers=3, problems=["a stranger"]),
    DroneWeather(vehicle_id="kona", drone_id="d1", at=AT, wind_speed=3.5),
    Signal(vehicle_id="kona", path="Vehicle.Speed", value=12.5, at=AT),
    Signal(vehicle_id="kona", path="Vehicle.Speed", value=None, at=AT, quality="not_available"),
    Position(vehicle_id="kona", latitude=1.3, longitude=103.8, accuracy_m=3.0, at=AT),
    Catalog(vehicle_id="kona", group="Vehicle.Cabin", leaves={"Vehicle.Cabin.X": CatalogLeaf()}),
    Presence(
        vehicle_id="kona", online=True, journal="j1", since=AT, clock="free", origin="live",
        software="0.1.0", buses={"can0": BusState(interface="socketcan:can0")},
    ),
    Health(vehicle_id="kona", at=AT, buses={"can0": BusHealth(frames=3)}, outbox_batches=0),
    Telemetry(
        vehicle_id="kona", journal="j1", sequence=1, previous="j0", kind="snapshot",
        start_at=AT, end_at=AT, clock="free", origin="live",
        samples={"Vehicle.Speed": [(-3, 1.5), (0, None, "not_available")]},
    ),
    RepairedTelemetry(
        requester="tolls", vehicle_id="kona", journal="j1", sequence=2, start_at=AT, end_at=AT,
        clock="free", origin="live",
    ),
    TelemetryRequest(vehicle_id="kona", journal="j1", first=1, last=2, reply_to="tolls"),
    Command(
        vehicle_id="kona", requester="alice", path="Vehicle.X", id="a1", value=21.5, expires_at=AT,
    ),
    Command(vehicle_id="kona", requester="alice", path="Vehicle.X", value=None, dry_run=True),
    CommandStatus(
        vehicle_id="kona", id="a1", requester="alice", path="Vehicle.X", state="rejected",
        final=True, reason="expired", detail="too late", value=21.5, at=AT,
    ),
    CommandAnswer(
        vehicle_id="kona", id=None, requester="alice", path="Vehicle.X", state="sent",
        final=False, at=AT,
    ),
    DeviceAnnouncement(
        prefix="homeassistant", device_id="internetcar_kona", origin=AnnouncedBy(name="us"),
        device=AnnouncedDevice(identifiers=["internetcar_kona"], name="Kona"),
        components={"sensor.X": {"platform": "sensor", "unique_id": "x", "expire_after": 180}},
    ),
    PaymentRequest(
        vehicle_id="kona", requester="pump", request_id="r1", action="hold", payee="station-7",
        purpose="fuel", amount_minor=8000, currency="EUR", expires_at=AT, origin="live",
    ),
    PaymentResult(
        vehicle_id="kona", request_id="r1", requester="pump", state="refused",
        reason="insufficient_funds", amount_minor=8000, currency="EUR", at=AT,
    ),
    WalletBalance(
        account="family", entries=7, at=AT,
        balances={"SGD": CurrencyBalance(available_minor=-150, held_minor=0)},
    ),
    WalletReceipt(
        account="family", receipt_id="e7", request_id="c1", vehicle_id="kona", kind="payment",
        payee="lta", purpose="toll", amount_minor=-200, currency="SGD", balance_minor=1800,
        words=["AYE towards City"], at=AT,
    ),
    StatementRequest(account="family", request_id="s1", currency="SGD", from_at=AT, until_at=AT),
    WalletStatement(
        account="family", request_id="s1", currency="SGD", from_at=AT, until_at=AT,
        opening_minor=2000, closing_minor=1800, lines=[StatementLine(
            at=AT, receipt_id="e7", payee="lta", text="toll", amount_minor=-200,
            balance_minor=1800,
        )],
    ),
    TollPassage(
        vehicle_id="kona", passage_id="p1", revision=2, state="proven", crossing=CROSSING,
        context="singapore", context_version="2026-06-02", fee_minor=200, currency="SGD",
        words=["08:05-08:25: 2.00 SGD"], origin="live", at=AT,
    ),
    TollCharge(
        vehicle_id="kona", charge_id="c1", kind="charge", operator="lta", passage_id="p1",
        crossing=CROSSING, amount_minor=200, currency="SGD", fee_minor=200, context="singapore",
        context_version="2026-06-02", words=[], evidence_digest="0a" * 32, origin="live",
        key_id="k1", signature="c2lnbmVk",
    ),
    TollDeclaration(
        vehicle_id="kona", declaration_id="d1", operator="lta", passage_id="p1",
        crossing=CROSSING, fee_minor=200, currency="SGD", vehicle_class="car",
        context="singapore", context_version="2026-06-02", evidence_digest="0a" * 32,
        origin="live", key_id="k1", signature="c2lnbmVk",
    ),
    BillingDetails(
        vehicle_id="kona", declaration_id="d1", operator="lta", passage_id="p1",
        verdict="corrected", amount_minor=100, currency="SGD", reason="other class", at=AT,
    ),
    TripStarted(
        vehicle_id="kona", trip_id="t1", driver="driver-1", started_at=AT,
        start=Place(latitude=1.3, longitude=103.8), outside_c=-3.5,
        settings=[SettingChange(path="Vehicle.Cabin.HVAC.IsAirConditioningActive", offset_s=0,
                                value=True)],
        origin="live", clock="synchronized",
    ),
    TripProgress(
        vehicle_id="kona", trip_id="t1", started_at=AT, at=AT, elapsed_s=10, distance_m=120.5,
        position=Place(latitude=1.3, longitude=103.8), heading_deg=90, speed_kmh=48,
        origin="live",
    ),
    TripEnded(
        vehicle_id="kona", trip_id="t1", revision=2, driver="driver-1", started_at=AT, ended_at=AT,
        start=Place(latitude=1.3, longitude=103.8), end=Place(latitude=1.4, longitude=103.9),
        distance_m=12_345.6, distance_from="odometer", energy_wh=1_900.5, idle_s=60, stopped_s=120,
        driving=Driving(
            known_s=900, speed_m=12_000, speed2_m2_per_s=2e5, speed3_m3_per_s2=4e6,
            faster_m2_per_s2=1_500, slower_m2_per_s2=1_500, idle_s=60, is_cold_start=True,
        ),
        harsh=[HarshEvent(kind="braking", offset_s=3, peak_mps2=5)], harsh_count=1,
        harsh_watched=["acceleration", "braking"], outside_c=27.5,
        settings=[SettingChange(path="Vehicle.Cabin.Infotainment.Media.Played.Track", offset_s=9,
                                value="Night Express")],
        route=[(1.3, 103.8, 0), (1.4, 103.9, 600.5)], why="power_off", origin="live",
        clock="synchronized",
    ),
    DestinationRecommendation(
        vehicle_id="kona", trip_id="t1", driver="anna", places=[SUGGESTED], somewhere_new=0.1,
        origin="live", at=AT,
    ),
    RecommendationOffer(
        vehicle_id="kona", offer_id="o1", trip_id="t1", driver="anna", probability=0.8,
        place=SUGGESTED, origin="live", at=AT,
    ),
    ClimateRecommendation(
        vehicle_id="kona", trip_id="t1", driver="anna", settings=[WARMER], because="as mostly",
        similar_trips=4, outside_c=3, origin="live", at=AT,
    ),
    SeatRecommendation(
        vehicle_id="kona", trip_id="t1", driver="anna", guess="anna", probability=0.9,
        settings=[WARMER], origin="live", at=AT,
    ),
    MediaRecommendation(
        vehicle_id="kona", trip_id="t1", driver="anna",
        items=[SuggestedItem(item="news", probability=0.8)], origin="live", at=AT,
    ),
    StopRecommendation(
        vehicle_id="kona", trip_id="t1", driver="anna",
        stops=[SuggestedStop(kind="charge", place_id="place-1", probability=1)], range_m=9_000,
        needed_m=20_000, origin="live", at=AT,
    ),
    EcoAdvice(
        vehicle_id="kona", trip_id="t1", driver="anna", unit="Wh", used=2_000, expected=1_900,
        hints=[EcoHint(kind="idle", saves=40, share=0.02, words="idling cost 40 Wh")],
        origin="live", at=AT,
    ),
    RecommendationFeedback(vehicle_id="kona", requester="phone", offer_id="o1", answer="reject"),
    RecommendationControl(
        vehicle_id="kona", requester="phone", request_id="r1", action="name_place", driver="anna",
        place_id="place-1", label="work",
    ),
    RecommendationAnswer(
        vehicle_id="kona", requester="phone", id="r1", status="done", erased=3,
        places=[KnownPlace(place_id="place-1", label="work", latitude=1.3, longitude=103.8)],
        visits=[KnownVisit(started_at=AT, place_id="place-1", origin_id="place-2")],
    ),
    ExceptionList(operator="lta", version=3, entries=[
        ExceptionEntry(vehicle_id="kona", treatment="exempt", reason="ambulance", valid_from=AT),
    ]),
]  # fmt: skip


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_survives_the_wire(message: Message) -> None:
    assert type(message).decode(message.topic, message.encode()) == message


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_unknown_fields_are_ignored_but_in_a_command(message: Message) -> None:
    if isinstance(message, Command | DroneRequest):
        payload = message.encode()[:-1] + b',"dryrun":true}'
        with pytest.raises(ContractError, match="unknown key 'dryrun'"):
            type(message).decode(message.topic, payload)
        return
    payload = message.encode()[:-1] + b',"from_the_future":[1]}'
    assert type(message).decode(message.topic, payload) == message


def test_topics_are_unique_and_at_most_seven_levels_deep() -> None:
    topics = [cls.TOPIC for cls in {type(message) for message in MESSAGES}]
    assert len(topics) == len(set(topics))
    assert all(topic.count("/") <= 6 for topic in topics)


@given(st.text(max_size=60), st.binary(max_size=200))
def test_any_topic_and_payload_is_a_message_or_a_contract_error(topic: str, payload: bytes) -> None:
    for message in MESSAGES:
        for candidate in (topic, message.topic):
            try:
                type(message).decode(candidate, payload)
            except ContractError as error:
                assert "\n" not in str(error)


@pytest.mark.parametrize("payload", [b"21.5", b"true", b'"OFF"', b"null"])
def test_a_command_may_be_the_bare_value(payload: bytes) -> None:
    command = Command.decode("v1/vehicle/kona/command/alice/Vehicle.X", payload)
    assert (command.id, command.expires_at, command.dry_run) == (None, None, False)
    assert command.value == {b"21.5": 21.5, b"true": True, b'"OFF"': "OFF"}.get(payload)


@pytest.mark.parametrize(
    "payload", [b'{"value": 1, "dry_run": "yes"}', b'{"value": 1, "expires_at": 9}']
)
def test_what_decides_whether_a_car_moves_is_not_guessed(payload: bytes) -> None:
    with pytest.raises(ContractError, match=r"dry_run|expires_at"):
        Command.decode("v1/vehicle/kona/command/alice/Vehicle.X", payload)


@pytest.mark.parametrize("payload", [b"[1]", b"{}", b'{"id": "a"}', b"", b"OFF", b"NaN", b"1e999"])
def test_a_command_without_a_value_is_refused(payload: bytes) -> None:
    with pytest.raises(ContractError, match=r"command/alice"):
        Command.decode("v1/vehicle/kona/command/alice/Vehicle.X", payload)


@pytest.mark.parametrize("vehicle_id", ["a/b", "a+", "#", "", "x" * 37, "a\n"])
def test_a_vehicle_id_cannot_carry_topic_characters(vehicle_id: str) -> None:
    with pytest.raises(ValueError, match="vehicle_id"):
        Signal(vehicle_id=vehicle_id, path="Vehicle.Speed", value=1, at=AT)


@given(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53),
              st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20)),
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001
    st.sampled_from(["valid", "stale"]),
)  # fmt: skip
def test_the_signal_encoder_equals_the_model(value: Value, at: datetime, quality: str) -> None:
    at = at.replace(tzinfo=UTC)
    at_ms = int(at.timestamp()) * 1000 + at.microsecond // 1000
    message = Signal.model_validate(
        {"vehicle_id": "kona", "path": "Vehicle.Speed", "value": value, "at": at,
         "quality": quality}
    )  # fmt: skip
    written = wire.signal_payload(value, wire.InstantWriter()(at_ms), message.quality)
    assert written == message.encode()
    assert wire.signal_topic_prefix("kona") + "Vehicle.Speed" == message.topic


@pytest.mark.parametrize(("previous", "previous_last"), [(None, None), ("j0", None), ("j0", 7)])
def test_the_telemetry_encoder_equals_the_model(
    previous: str | None, previous_last: int | None
) -> None:
    message = Telemetry(
        vehicle_id="kona", journal="j1", sequence=1, previous=previous,
        previous_last=previous_last, kind="snapshot",
        start_at=AT, end_at=AT, clock="free", origin="live",
        samples={"Vehicle.Speed": [(-3, 1.5), (0, None, "not_available")]},
    )  # fmt: skip
    written = wire.telemetry_payload(
        journal="j1", sequence=1, previous=previous, kind="snapshot",
        start_at="2026-11-21T03:00:00.123Z", end_at="2026-11-21T03:00:00.123Z",
        clock="free", origin="live", samples=message.samples, previous_last=previous_last,
    )  # fmt: skip
    assert written == message.encode()
    assert wire.telemetry_topic("kona") == message.topic


@pytest.mark.parametrize("amount", ["1.5", "true", '"200"', "-1", str(1 << 53), "1e400", "null"])
def test_an_amount_is_a_whole_number_of_the_smallest_unit(amount: str) -> None:
    charge = next(message for message in MESSAGES if isinstance(message, TollCharge))
    payload = charge.encode().replace(b'"amount_minor":200', f'"amount_minor":{amount}'.encode())
    with pytest.raises(ContractError, match=r"amount_minor|not JSON"):
        TollCharge.decode(charge.topic, payload)
