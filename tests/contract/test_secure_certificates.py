"""A real mosquitto and certificates: who gets in, and who is put out."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from internetcar.contract.broker_url import BrokerUrl, BrokerUrlError
from internetcar.launcher import secure_broker
from internetcar.launcher.access import Rights
from internetcar.launcher.authority import Authority, Issued
from internetcar.launcher.broker import BrokerError
from internetcar.launcher.secure_folder import write_private
from tests.secure_place import WATCHER, Client, Place, welcome
from tests.waiting import PATIENCE_S, eventually

NOW = datetime.now(UTC)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path / "authority") as running:
        yield running


def context(place: Place, issued: Issued | None) -> ssl.SSLContext:
    """Trusts the place's broker and shows a certificate, if there is one."""
    made = ssl.create_default_context(cadata=place.authority.cert.decode())
    if issued is not None:
        cert, key = place.secure.path / "probe.pem", place.secure.path / "probe.key"
        write_private(cert, issued.cert)
        write_private(key, issued.key)
        made.load_cert_chain(cert, key)
    return made


def gets_in(place: Place, issued: Issued | None) -> bool:
    return welcome(place.port, context(place, issued))


def test_who_has_a_certificate_gets_in_and_who_has_none_does_not(place: Place) -> None:
    assert gets_in(place, place.authority.issue_client("kona", NOW, 1))
    assert not gets_in(place, None)
    assert not welcome(place.port, None)
    assert not welcome(place.port, context(place, None), user="kona")


def test_an_expired_certificate_stays_outside(place: Place) -> None:
    long_ago = NOW - timedelta(days=10)
    assert gets_in(place, place.authority.issue_client("kona", long_ago, 11))
    assert not gets_in(place, place.authority.issue_client("kona", long_ago, 9))


def test_a_certificate_of_another_authority_stays_outside(place: Place) -> None:
    assert not gets_in(place, Authority.create(NOW).issue_client("kona", NOW, 1))


def test_the_brokers_own_certificate_is_nobody(place: Place) -> None:
    assert not gets_in(place, place.authority.issue_broker(["127.0.0.1"], NOW, 1))


def test_a_client_cannot_be_the_broker(place: Place) -> None:
    stolen = place.authority.issue_client("127.0.0.1", NOW, 1)
    place.stop()
    write_private(place.folder / "broker.pem", stolen.cert)
    write_private(place.folder / "broker.key", stolen.key)
    place.start()
    assert not gets_in(place, place.authority.issue_client("kona", NOW, 1))


def test_a_broker_of_another_name_is_not_trusted(place: Place) -> None:
    place.stop()
    elsewhere = place.authority.issue_broker(["elsewhere.example", "127.0.0.2"], NOW, 1)
    write_private(place.folder / "broker.pem", elsewhere.cert)
    write_private(place.folder / "broker.key", elsewhere.key)
    place.start()
    assert not gets_in(place, place.authority.issue_client("kona", NOW, 1))


def test_only_tls_1_3_is_spoken(place: Place) -> None:
    old = context(place, place.authority.issue_client("kona", NOW, 1))
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert not welcome(place.port, old)


def test_a_certificate_whose_name_is_in_no_rule_says_and_hears_nothing(place: Place) -> None:
    stray = place.authority.issue_client("stray", NOW, 1)
    assert gets_in(place, stray)
    url = BrokerUrl(
        "127.0.0.1", place.port, tls=True, ca=place.folder / "ca.pem",
        cert=place.secure.path / "probe.pem", key=place.secure.path / "probe.key",
    )  # fmt: skip
    with place.client(WATCHER, "#") as watcher, Client(url, "#", "$SYS/#") as client:
        watcher.say("v1/vehicle/kona/presence", b"secret")
        watcher.until("v1/vehicle/kona/presence")
        client.say("v1/vehicle/stray/presence", b"forged")
        assert client.ended.wait(PATIENCE_S)
        watcher.say("v1/fence")
        watcher.until("v1/fence")
        assert client.heard == []
        assert "v1/vehicle/stray/presence" not in watcher.topics()


def revoke(place: Place, name: str) -> None:
    place.secure.take_up(place.secure.register.without(name, NOW), NOW)
    place.write_rules()


def test_who_is_revoked_is_deaf_and_mute_at_once_and_does_not_come_back(place: Place) -> None:
    speed = "v1/vehicle/kona/signal/Vehicle.Speed"
    with (
        place.client(WATCHER, "#") as watcher,
        place.client("alice", speed) as alice,
        place.client("lamp", speed) as lamp,
    ):
        watcher.say(speed, b"before")
        alice.until_payload(b"before")
        lamp.until_payload(b"before")
        context_of_alice = place.url("alice").tls_context()
        revoke(place, "alice")
        assert secure_broker.reload(place.folder)
        eventually(lambda: not welcome(place.port, context_of_alice))
        watcher.say(speed, b"after")
        lamp.until_payload(b"after")
        watcher.until_payload(b"after")
        assert not alice.ended.is_set(), "mosquitto ends it now: then end_connections is not needed"
        alice.say("v1/vehicle/kona/command/alice/Vehicle.X", b"stolen")
        assert alice.ended.wait(PATIENCE_S)
        watcher.say("v1/fence")
        watcher.until("v1/fence")
        assert b"after" not in [payload for _, payload in alice.heard]
        assert b"stolen" not in [payload for _, payload in watcher.heard]


def test_a_renewed_certificate_and_the_old_one_hold_and_are_revoked_together(
    place: Place,
) -> None:
    first = place.url("bob").tls_context()
    place.secure.issue(place.secure.register, "bob", NOW, 10)
    second = place.url("bob").tls_context()
    assert welcome(place.port, first), "the old one holds until its own end"
    assert welcome(place.port, second)
    revoke(place, "bob")
    secure_broker.reload(place.folder)
    eventually(lambda: not welcome(place.port, first))
    assert not welcome(place.port, second)
    place.secure.issue(place.secure.register, "bob", NOW, 10)
    place.write_rules()
    secure_broker.reload(place.folder)
    eventually(lambda: welcome(place.port, place.url("bob").tls_context()))
    assert not welcome(place.port, first)


def test_the_list_of_revoked_ones_never_shuts_everybody_out(place: Place) -> None:
    made_long_ago = place.authority.revocations({}, 1, NOW - timedelta(days=3000))
    write_private(place.folder / "crl.pem", made_long_ago)
    place.stop()
    place.start()
    assert gets_in(place, place.authority.issue_client("kona", NOW, 1))


def test_without_the_list_of_revoked_ones_the_broker_does_not_start(place: Place) -> None:
    place.stop()
    (place.folder / "crl.pem").unlink()
    assert place.spawn().wait(PATIENCE_S) != 0


def test_a_broker_nobody_starts_again_is_told_of(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secure_broker, "_BACK_S", 0.5)
    with place.client("alice") as alice:
        with pytest.raises(BrokerError, match="nothing has started it again"):
            secure_broker.end_connections(place.folder)
        assert alice.ended.wait(PATIENCE_S)
    assert not secure_broker.end_connections(place.folder)
    assert not secure_broker.reload(place.folder)


def test_a_pid_that_is_another_program_now_is_left_alone(place: Place) -> None:
    (place.folder / "mosquitto.pid").write_text("1")
    assert secure_broker.running_pid(place.folder) is None
    for junk in ("", "x", "-1", "99999999999999999999"):
        (place.folder / "mosquitto.pid").write_text(junk)
        assert secure_broker.running_pid(place.folder) is None


def test_a_key_that_is_gone_is_named(place: Place) -> None:
    url = place.url("alice")
    assert url.key is not None
    url.key.unlink()
    with pytest.raises(BrokerUrlError, match=r"cert\.pem"):
        url.tls_context()


def test_a_new_person_is_let_in_by_the_broker_that_runs(place: Place) -> None:
    rights = Rights(role="person", vehicles=("kona",))
    changed = place.secure.register.with_rights("carol", rights, NOW, change=False)
    place.secure.issue(changed, "carol", NOW, 1)
    place.write_rules()
    assert secure_broker.reload(place.folder)
    topic = "v1/vehicle/kona/signal/Vehicle.Speed"
    with place.client(WATCHER) as watcher, place.client("carol", topic) as carol:
        watcher.say(topic, b"hello")
        carol.until(topic)
