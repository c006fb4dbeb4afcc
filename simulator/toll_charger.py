"""The other side of a toll: `python -m simulator.toll_charger --broker mqtt://… --confirm-all`.

It keeps nothing: declarations are repeated until they are answered, and its answers are derived.
"""

import argparse
import logging
import signal
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from internetcar.contract.broker_url import BrokerUrl, BrokerUrlError, parse_broker_url
from internetcar.contract.link import Link
from internetcar.contract.message import InputError
from internetcar.contract.signature import key_id, read_public_key
from internetcar.contract.subscriptions import Received
from internetcar.contract.tolls import TollDeclaration
from simulator.billing import CONFIRM_ALL, Rules, answer, exception_lists

log = logging.getLogger("toll-charger")

_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """Where it listens and how it answers."""

    broker: BrokerUrl
    rules: Rules = CONFIRM_ALL
    trusted: Mapping[str, Ed25519PublicKey] | None = None
    name: str = "toll-charger"


def run(settings: Settings) -> None:
    """Answer declarations until SIGINT or SIGTERM.

    Raises:
        BrokerRefusedError: The broker does not let us in.
    """
    link = Link(settings.broker, settings.name)

    def on_declaration(received: Received) -> None:
        if received.retained:
            return
        declaration = TollDeclaration.decode(received.topic, received.payload)
        said = answer(settings.rules, declaration, settings.trusted)
        if said is not None:
            log.info("%s: %s", said.declaration_id, said.verdict)
            link.publish(said)

    def on_connected() -> None:
        for exceptions in exception_lists(settings.rules):
            link.publish(exceptions)

    def on_signal(number: int, frame: FrameType | None) -> None:
        link.stop()

    link.on_received(TollDeclaration.filter(), on_declaration, qos=TollDeclaration.QOS)
    link.on_connected(on_connected)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    link.run()


def read_rules(path: Path) -> Rules:
    """Rules from a TOML file.

    Raises:
        InputError: The file cannot be read or says something else.
    """
    try:
        content = path.read_bytes()
        if len(content) > _MOST_BYTES:
            raise InputError(f"{path}: more than {_MOST_BYTES >> 20} MiB of rules")
        return Rules.model_validate(tomllib.loads(content.decode()))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise InputError(f"{path}: {place}: {first['msg']}") from error
    except ValueError as error:
        raise InputError(f"{path}: not TOML: {error}") from error


def parse_arguments(arguments: Sequence[str]) -> Settings:
    """Settings from the command line.

    Raises:
        InputError: The rules or a key cannot be read.
    """
    parser = argparse.ArgumentParser(
        "simulator.toll_charger", description="A toll charger that answers declarations."
    )
    parser.add_argument("--broker", required=True, metavar="URL", help="mqtt://USER:PASS@HOST:PORT")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--confirm-all", action="store_true", help="every declaration [default]")
    choice.add_argument("--rules", type=Path, metavar="FILE", help="TOML: seed, rules, exceptions")
    parser.add_argument("--name", default="toll-charger", help="its client id at the broker")
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="KEY",
        help="what `car tolls key` prints; others' declarations are rejected; again for more",
    )
    given = parser.parse_args(arguments)
    keys = [read_public_key(text.split()[-1] if text.split() else text) for text in given.trust]
    try:
        broker = parse_broker_url(given.broker)
    except BrokerUrlError as error:
        parser.error(str(error))
    return Settings(
        broker=broker,
        rules=read_rules(given.rules) if given.rules else CONFIRM_ALL,
        trusted={key_id(key): key for key in keys} if keys else None,
        name=given.name,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point; exit code 2 says that a setting is wrong."""
    logging.basicConfig(format="%(name)s: %(message)s")
    log.setLevel(logging.INFO)
    try:
        run(parse_arguments(sys.argv[1:] if arguments is None else arguments))
    except InputError as error:
        log.error("%s", error)  # noqa: TRY400 -- a wrong setting needs words, not a trace
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
