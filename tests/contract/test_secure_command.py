"""`car secure` as a person uses it: what it writes, prints, ends and refuses."""

import os
import shutil
import signal
import ssl
import stat
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer.main
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from internetcar.contract.broker_url import BrokerUrl, parse_broker_url
from internetcar.contract.message import InputError
from internetcar.launcher import secure
from internetcar.launcher.broker import free_port
from internetcar.launcher.secure_broker import running_pid
from internetcar.launcher.secure_folder import opened, write_private
from tests.conftest import need_mosquitto
from tests.e2e.stage import PYTHON, REPOSITORY
from tests.secure_place import Client, welcome
from tests.waiting import PATIENCE_S, eventually


class Owner:
    """Somebody at a terminal, with an authority in a folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.port = free_port()
        self._capsys = capsys

    def car(self, *words: str) -> str:
        """`car secure …`: what it prints."""
        self._capsys.readouterr()
        command = typer.main.get_command(secure.app)
        command.main([*words, "--folder", str(self.folder)], "secure", standalone_mode=False)
        return self._capsys.readouterr().out

    def init(self, *words: str) -> str:
        address = ("--host", "127.0.0.1", "--bind", "127.0.0.1", "--port", str(self.port))
        return self.car("init", *address, *words)

    def url(self, *words: str) -> BrokerUrl:
        """The URL a command prints on a line of its own."""
        lines = self.car(*words).splitlines()
        return parse_broker_url(next(line for line in lines if line.startswith("mqtts://")))


@pytest.fixture
def owner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Owner:
    made = Owner(tmp_path / "authority", capsys)
    made.init()
    return made


@pytest.fixture
def broker(owner: Owner) -> Iterator["subprocess.Popen[bytes]"]:
    """`car secure broker`, as a process."""
    need_mosquitto()
    process = subprocess.Popen(
        [PYTHON, "-m", "internetcar.launcher", "secure", "broker", "--folder", str(owner.folder)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.DEVNULL,
    )
    eventually(lambda: running_pid(owner.folder / "broker"))
    yield process
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0
    assert running_pid(owner.folder / "broker") is None


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_every_printed_url_leads_to_the_running_broker(
    owner: Owner, broker: "subprocess.Popen[bytes]"
) -> None:
    assert broker.poll() is None
    kona = owner.url("vehicle", "kona")
    alice = owner.url("person", "alice", "--vehicle-id", "kona")
    lamp = owner.url("service", "lamp", "--reads", "signal/+", "--writes", "home/lamp")
    assert [url.username for url in (kona, alice, lamp)] == ["kona", "alice", "lamp"]
    speed, light = "v1/vehicle/kona/signal/Vehicle.Speed", "v1/vehicle/kona/home/lamp"
    command = "v1/vehicle/kona/command/alice/Vehicle.X"
    with Client(kona, command) as car, Client(alice, speed) as person, Client(lamp, speed) as lit:
        car.say(speed)
        person.until(speed)
        lit.until(speed)
        lit.say(light)
        person.say(command)
        car.until(command)
    listed = owner.car("list")
    assert [line.split()[:3] for line in listed.splitlines()[1:]] == [
        ["alice", "person", "kona"], ["kona", "vehicle", "itself"], ["lamp", "service", "all"],
    ]  # fmt: skip


def test_a_revoked_client_that_is_connected_is_ended_and_the_others_come_back(
    owner: Owner, broker: "subprocess.Popen[bytes]"
) -> None:
    kona = owner.url("vehicle", "kona")
    alice = owner.url("person", "alice", "--vehicle-id", "kona")
    context = alice.tls_context()
    before = running_pid(owner.folder / "broker")
    with Client(alice) as person, Client(kona):
        assert "revoked" in owner.car("revoke", "alice")
        assert person.ended.wait(PATIENCE_S)
    assert running_pid(owner.folder / "broker") not in (None, before)
    assert broker.poll() is None
    eventually(lambda: welcome(owner.port, kona.tls_context()))
    assert not welcome(owner.port, context)
    assert "alice" not in (owner.folder / "broker/access").read_text()
    assert not (owner.folder / "clients/alice").exists()
    assert "revoked" in owner.car("list")


def test_what_the_broker_remembers_survives_a_revocation(
    owner: Owner, broker: "subprocess.Popen[bytes]"
) -> None:
    assert broker.poll() is None
    kona = owner.url("vehicle", "kona")
    owner.car("person", "alice", "--vehicle-id", "kona")
    topic = "v1/vehicle/kona/position"
    with Client(kona, topic) as car:
        car.say(topic, b"here", retain=True)
        car.until(topic)
    owner.car("revoke", "alice")
    eventually(lambda: welcome(owner.port, kona.tls_context()))
    with Client(kona, topic) as car:
        car.until_payload(b"here")


def test_the_broker_may_go_on_and_is_told_the_revoked_ones(
    owner: Owner, broker: "subprocess.Popen[bytes]"
) -> None:
    assert broker.poll() is None
    context = owner.url("vehicle", "kona").tls_context()
    before = running_pid(owner.folder / "broker")
    owner.car("revoke", "kona", "--reload")
    eventually(lambda: not welcome(owner.port, context))
    assert running_pid(owner.folder / "broker") == before


def test_other_hosts_are_taken_up_by_the_running_broker(
    owner: Owner, broker: "subprocess.Popen[bytes]"
) -> None:
    assert broker.poll() is None
    context = owner.url("vehicle", "kona").tls_context()
    assert welcome(owner.port, context)
    owner.car("renew", "broker", "--host", "pi.local")
    cert = x509.load_pem_x509_certificate((owner.folder / "broker/broker.pem").read_bytes())
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["pi.local", "localhost"]
    assert owner.url("renew", "kona").host == "pi.local"
    assert welcome(owner.port, context)


def test_everything_is_for_its_owner_alone(owner: Owner) -> None:
    owner.car("vehicle", "kona")
    for path in (owner.folder, *owner.folder.rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_the_authoritys_key_is_in_no_other_file_and_in_no_output(owner: Owner) -> None:
    said = owner.car("vehicle", "kona") + owner.car("list")
    found = files(owner.folder)
    secret = found.pop("authority.key").splitlines()[1]
    assert secret.decode() not in said
    assert not [name for name, content in found.items() if secret in content]


def test_init_says_what_mosquitto_reads_and_what_comes_next(tmp_path: Path, owner: Owner) -> None:
    owner.folder = tmp_path / "other"
    said = owner.init()
    configured = (owner.folder / "broker/mosquitto.conf").read_text()
    assert configured in said
    for line in (
        f"listener {owner.port} 127.0.0.1", "tls_version tlsv1.3", "require_certificate true",
        "use_identity_as_username true", "allow_anonymous false", "persistence true",
        "message_size_limit 1048576", f"crlfile {owner.folder}/broker/crl.pem",
        f"acl_file {owner.folder}/broker/access",
    ):  # fmt: skip
        assert line in configured.splitlines()
    assert "car secure broker" in said
    assert "car secure vehicle" in said


def test_a_second_authority_in_one_folder_is_refused(owner: Owner) -> None:
    before = files(owner.folder)
    with pytest.raises(InputError, match="has an authority already"):
        owner.init()
    assert files(owner.folder) == before


def test_an_init_that_fails_leaves_nothing_that_hinders_the_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = Owner(tmp_path / "authority", capsys)
    (tmp_path / "file").touch()
    with pytest.raises(InputError):
        owner.init("--broker-folder", str(tmp_path / "file" / "broker"))
    assert "authority.key" in owner.init()


def test_the_brokers_files_may_lie_elsewhere(tmp_path: Path, owner: Owner) -> None:
    owner.folder, place = tmp_path / "other", tmp_path / "mosquitto"
    place.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(place, 65534, 65534)
    owner.init("--broker-folder", str(place))
    assert not (owner.folder / "broker").exists()
    assert "authority.key" not in files(place)
    assert {path.stat().st_uid for path in place.rglob("*")} == {place.stat().st_uid}
    if os.geteuid() == 0:
        assert "user nobody" in (place / "mosquitto.conf").read_text().splitlines()


@pytest.mark.parametrize(
    "words",
    [
        "vehicle a/b", "vehicle kona+", "vehicle %u", "vehicle broker", "vehicle gateway",
        "person alice --vehicle-id #", "person alice --vehicle-id nosuch", "person car",
        "service car", "vehicle car", "vehicle CAR", "service s --writes presence",
        "service s --reads a//b", "service s --vehicle-id nosuch", "revoke nobody", "renew nobody",
        "renew car --host pi", "renew broker --host a_b/c", "person x --vehicle-id car --change",
    ],
)  # fmt: skip
def test_wrong_input_is_refused_and_changes_nothing(owner: Owner, words: str) -> None:
    owner.car("vehicle", "car")
    before = files(owner.folder)
    full = words if "person car" not in words else f"{words} --vehicle-id car"
    with pytest.raises(InputError) as caught:
        owner.car(*full.split())
    assert len(str(caught.value).splitlines()) == 1
    assert files(owner.folder) == before


@pytest.mark.parametrize("name", ["a\nuser x", "a b", "", "a\ttopic readwrite #", "ä", "x" * 37])
def test_a_name_cannot_say_more_than_a_name(owner: Owner, name: str) -> None:
    before = files(owner.folder)
    for words in (("vehicle", name), ("service", name), ("person", name, "--vehicle-id", "car")):
        with pytest.raises(InputError):
            owner.car(*words)
    assert files(owner.folder) == before


@pytest.mark.parametrize("host", ["", "a b", "a\n", "-", "a/b", "*", "x" * 300, "1.2.3.4/8", ".."])
def test_a_host_is_a_name_or_an_address(tmp_path: Path, owner: Owner, host: str) -> None:
    owner.folder = tmp_path / "other"
    with pytest.raises(InputError, match="--host"):
        owner.car("init", "--host", host)
    assert not owner.folder.exists()


@pytest.mark.parametrize(
    "junk", [b"", b"{", b"[]", b"null", b"\xff", b'{"version": 2}', b'{"hosts": [], "port": 1}']
)
def test_a_damaged_register_is_named_and_left(owner: Owner, junk: bytes) -> None:
    write_private(owner.folder / "register.json", junk)
    with pytest.raises(InputError, match=r"register\.json is damaged"):
        owner.car("vehicle", "kona")
    assert (owner.folder / "register.json").read_bytes() == junk


def test_a_register_cannot_smuggle_a_name_or_a_topic(owner: Owner) -> None:
    text = (owner.folder / "register.json").read_text()
    holder = '{"rights": {"role": "service", "writes": ["a\\ntopic readwrite #"]}}'
    for smuggled in ('{"a\\nuser x": {"rights": {"role": "person"}}}', f'{{"a": {holder}}}'):
        assert '"holders": {}' in text
        changed = text.replace('"holders": {}', f'"holders": {smuggled}')
        write_private(owner.folder / "register.json", changed.encode())
        with pytest.raises(InputError, match="damaged"):
            owner.car("list")


@pytest.mark.parametrize("name", ["authority.key", "authority.pem"])
def test_a_damaged_authority_is_named(owner: Owner, name: str, tmp_path: Path) -> None:
    kept = (owner.folder / name).read_bytes()
    other = Owner(tmp_path / "other", owner._capsys)
    other.init()
    for junk in (b"junk", kept[:-60], (other.folder / name).read_bytes()):
        write_private(owner.folder / name, junk)
        with pytest.raises(InputError, match=r"damaged|belong together"):
            owner.car("vehicle", "kona")
    (owner.folder / name).unlink()
    with pytest.raises(InputError, match=name):
        owner.car("vehicle", "kona")


def test_a_lost_list_of_revoked_ones_is_written_again(owner: Owner) -> None:
    owner.car("vehicle", "kona")
    owner.car("revoke", "kona")
    path = owner.folder / "broker/crl.pem"
    shutil.rmtree(owner.folder / "broker/store")
    path.unlink()
    owner.car("vehicle", "leaf")
    assert len(x509.load_pem_x509_crl(path.read_bytes())) == 1


@pytest.mark.parametrize("place", [".", "authority.key", "register.json"])
def test_what_others_could_read_is_not_used(owner: Owner, place: str) -> None:
    (owner.folder / place).chmod(0o755)
    with pytest.raises(InputError, match="chmod go="):
        owner.car("vehicle", "kona")


def test_a_folder_without_an_authority_names_the_command(tmp_path: Path, owner: Owner) -> None:
    owner.folder = tmp_path / "nothing"
    with pytest.raises(InputError, match="car secure init"):
        owner.car("list")


def test_two_at_once_do_not_mix(owner: Owner) -> None:
    with opened(owner.folder), pytest.raises(InputError, match="another"):
        owner.car("vehicle", "kona")


def test_what_cannot_be_written_is_left_whole(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (owner.folder / "register.json").read_bytes()

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(InputError, match=r"register\.json: cannot be written \(No space"):
        owner.car("vehicle", "kona")
    assert (owner.folder / "register.json").read_bytes() == before
    assert not list(owner.folder.glob(".*"))


def test_a_certificate_says_who_for_what_and_until_when(owner: Owner) -> None:
    url = owner.url("vehicle", "kona", "--days", "30")
    assert url.cert is not None
    cert = x509.load_pem_x509_certificate(url.cert.read_bytes())
    assert cert.subject.rfc4514_string() == "CN=kona"
    purposes = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert (cert.not_valid_after_utc - datetime.now(UTC)).days == 29
    assert isinstance(url.tls_context(), ssl.SSLContext)
