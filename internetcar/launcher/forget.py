"""`car forget`: a broker forgets all it remembers of a vehicle."""

import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.link import Link
from internetcar.contract.message import ContractError, InputError
from internetcar.contract.presence import Presence
from internetcar.contract.subscriptions import Received
from internetcar.launcher import secure_broker
from internetcar.launcher.access import keeper_text, remembered_topics
from internetcar.launcher.options import BrokerOption, broker_of, vehicle_id_of
from internetcar.launcher.secure import authority_folder
from internetcar.launcher.secure_folder import opened, write_private

app = typer.Typer()

_CONNECT_S = 10.0
_QUIET_S = 1.5
"""What a broker remembers comes at once; so long without any more of it is the end."""
_MOST_S = 60.0
_PORTION = 500
_TAKEN_UP_S = 0.5
"""mosquitto reads its files in the turn of its loop after the signal, and says nothing of it."""


@app.command()
def forget(
    vehicle_id: Annotated[str, typer.Option(help="Whose retained messages to clear.")],
    broker: BrokerOption = "",
    folder: Annotated[
        str,
        typer.Option(
            metavar="DIR", help="A `car secure` authority whose broker runs here, instead of a URL."
        ),
    ] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Also while it is online, or its presence says so.")
    ] = False,
) -> None:
    """Clear every retained message of a vehicle, and look again whether any is left.

    What a service keeps is not the broker's: `car trips forget` erases trips.
    """
    vehicle_id = vehicle_id_of(vehicle_id)
    with ExitStack() as stack:
        keeper = stack.enter_context(_keeper(folder, vehicle_id)) if folder else None
        _forget(keeper or broker_of(broker), vehicle_id, is_forced=yes)


def _forget(url: BrokerUrl, vehicle_id: str, *, is_forced: bool) -> None:
    remembered = _remembered(url, vehicle_id)
    if not is_forced and _is_online(vehicle_id, remembered):
        raise InputError(
            f"{vehicle_id} is online and would say it all again: end its gateway first, or --yes"
        )
    not_permitted = _clear(url, list(remembered))
    left = _remembered(url, vehicle_id)
    cleared = len(remembered.keys() - left.keys())
    typer.echo(f"{url}: {cleared} retained messages of {vehicle_id} cleared")
    if left:
        reason = (
            "the broker does not permit it"
            if not_permitted
            else "it does not permit it, or somebody says it again"
        )
        raise InputError(f"{len(left)} are left on {url}, such as {min(left)}: {reason}")


@contextmanager
def _keeper(option: str, vehicle_id: str) -> Iterator[BrokerUrl]:
    """A certificate of one visit, for in the rules of an authority nobody else may say so much.

    Raises:
        InputError: There is no such authority, or its broker does not run here.
    """
    now, name = datetime.now(UTC), f"forget-{secrets.token_hex(8)}"
    with opened(authority_folder(option)) as secure, TemporaryDirectory() as temporary:
        issued = secure.authority.issue_client(name, now, 1)
        ca, cert, key = (Path(temporary) / f"{kind}.pem" for kind in ("ca", "cert", "key"))
        for path, pem in ((ca, secure.authority.cert), (cert, issued.cert), (key, issued.key)):
            write_private(path, pem)
        host = secure.register.bind or "127.0.0.1"
        try:
            secure.write_rules(now, keeper_text(name, vehicle_id))
            if not secure_broker.reload(secure.broker_folder):
                raise InputError(f"no broker runs here with {secure.broker_folder}")
            time.sleep(_TAKEN_UP_S)
            yield BrokerUrl(host, secure.register.port, name, tls=True, ca=ca, cert=cert, key=key)
        finally:
            secure.write_rules(now)
            secure_broker.reload(secure.broker_folder)


def _remembered(url: BrokerUrl, vehicle_id: str) -> dict[str, bytes]:
    """What a broker remembers of a vehicle and lets us hear: payloads by topic.

    Raises:
        LinkError: No connection to the broker.
    """
    found: dict[str, bytes] = {}
    last_s = time.monotonic()

    def on_received(received: Received) -> None:
        nonlocal last_s
        if received.retained and received.payload:
            found[received.topic] = received.payload
            last_s = time.monotonic()

    link = Link(url, f"forget-{time.monotonic_ns():x}")
    for topic_filter in remembered_topics(vehicle_id):
        link.on_received(topic_filter, on_received, qos=1)
    link.start(wait_s=_CONNECT_S)
    began_s = last_s = time.monotonic()
    while time.monotonic() - last_s < _QUIET_S and time.monotonic() - began_s < _MOST_S:
        time.sleep(0.02)
    link.stop()
    return found


def _is_online(vehicle_id: str, remembered: dict[str, bytes]) -> bool:
    topic = Presence.filter(vehicle_id=vehicle_id)
    try:
        return topic in remembered and Presence.decode(topic, remembered[topic]).online
    except ContractError:
        return False


def _clear(url: BrokerUrl, topics: list[str]) -> bool:
    """Say an empty retained message on each topic; whether the broker forbade one.

    Raises:
        InputError: The broker does not answer.
    """
    if not topics:
        return False
    link = Link(url, f"forget-{time.monotonic_ns():x}")
    link.start(wait_s=_CONNECT_S)
    try:
        for start in range(0, len(topics), _PORTION):
            for topic in topics[start : start + _PORTION]:
                link.publish_bytes(topic, b"", retain=True)
            if not link.drain(_CONNECT_S):
                raise InputError(f"{url} does not answer; run it again")
        return link.not_permitted is not None
    finally:
        link.stop()
