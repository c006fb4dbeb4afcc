"""The link over TLS, with our own authority and with client certificates."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from internetcar.contract.broker_url import BrokerUrl, BrokerUrlError, parse_broker_url
from internetcar.contract.link import Link
from internetcar.contract.retry import BrokerUnreachableError
from internetcar.contract.signals import Signal
from internetcar.launcher.broker import free_port, mosquitto_path
from internetcar.launcher.child import end_child
from tests.conftest import need_mosquitto
from tests.contract.test_link import QUICK, SPEED, running
from tests.waiting import PATIENCE_S, eventually


@dataclass(frozen=True)
class Certificate:
    cert: Path
    key: Path


def make_certificate(folder: Path, name: str, issuer: Certificate | None = None) -> Certificate:
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
        "-keyout", str(made.key), "-out", str(made.cert),
    ]  # fmt: skip
    if issuer is not None:
        command += ["-CA", str(issuer.cert), "-CAkey", str(issuer.key)]
        command += ["-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(command, check=True, capture_output=True)
    return made


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[BrokerUrl]:
    """A mosquitto that wants a client certificate; the URL has one."""
    need_mosquitto()
    if shutil.which("openssl") is None:
        pytest.skip("no openssl: apt-get install openssl")
    authority = make_certificate(tmp_path, "authority")
    server = make_certificate(tmp_path, "server", authority)
    client = make_certificate(tmp_path, "gateway", authority)
    port = free_port()
    (tmp_path / "conf").write_text(
        f"listener {port} 127.0.0.1\ncafile {authority.cert}\ncertfile {server.cert}\n"
        f"keyfile {server.key}\nrequire_certificate true\nuse_identity_as_username true\n"
        "user root\n"
    )
    path = mosquitto_path()
    assert path is not None
    child = subprocess.Popen([path, "-c", str(tmp_path / "conf")], stderr=subprocess.DEVNULL)
    yield parse_broker_url(
        f"mqtts://127.0.0.1:{port}?ca={authority.cert}&cert={client.cert}&key={client.key}"
    )
    end_child(child)


def test_batches_larger_than_the_sockets_buffer_arrive_over_tls(secure: BrokerUrl) -> None:
    heard: list[Signal] = []
    link = Link(secure, "gateway", options=QUICK)
    link.on(Signal, heard.append)
    with running(link), running(Link(secure, "sender", options=QUICK)) as sender:
        eventually(lambda: link.publish(SPEED) or heard)
        assert link.drain(PATIENCE_S)
        heard.clear()
        for start in range(0, 20_000, 1000):
            batch = [
                (SPEED.topic, SPEED.model_copy(update={"value": number}).encode())
                for number in range(start, start + 1000)
            ]
            assert sender.publish_now(batch, retain=False)
            sender.publish(SPEED)
        assert sender.drain(PATIENCE_S)
        eventually(lambda: len(heard) == 20_020)
    numbers = [signal.value for signal in heard if signal.value != SPEED.value]
    assert numbers == list(range(20_000))


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_with_a_certificate_nobody_vouches_for_is_not_trusted(secure: BrokerUrl) -> None:
    with pytest.raises(BrokerUnreachableError, match="certificate verify failed"):
        Link(replace(secure, ca=None), "gateway", options=QUICK).start(wait_s=1.0)


def test_a_client_without_a_certificate_stays_outside(secure: BrokerUrl) -> None:
    with pytest.raises(BrokerUnreachableError):
        Link(replace(secure, cert=None, key=None), "gateway", options=QUICK).start(wait_s=1.0)


def test_a_file_that_is_no_certificate_is_named(secure: BrokerUrl, tmp_path: Path) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("junk")
    with pytest.raises(BrokerUrlError, match=r"junk\.pem"):
        replace(secure, ca=junk).tls_context()
