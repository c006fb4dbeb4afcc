"""`car tolls context`: check a toll context, sign one, and see who signed it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from internetcar.contract.message import InputError
from internetcar.contract.signature import public_key_text
from internetcar.launcher.tables import printable
from services.tolls.tariff.context import ContextError, load_context
from services.tolls.tariff.layout import written
from services.tolls.tariff.lint import lint as doubts_of
from services.tolls.tariff.shipped import find_context, names, trusted_keys
from services.tolls.tariff.signing import load_trusted
from services.tolls.tariff.signing import sign as signed
from services.tolls.tariff.signing import verify as signer_of

context_app = typer.Typer(
    help="Check a toll context, sign one, and see who signed it.", no_args_is_help=True
)

ContextArgument = Annotated[
    str, typer.Argument(metavar="CONTEXT", help="A shipped one by its name, or a file.")
]
TrustedOption = Annotated[
    Path | None,
    typer.Option(
        "--trusted", metavar="FILE", help='Also trust these: {"key name": "public key, base64"}.'
    ),
]


@context_app.command("list")
def show_list() -> None:
    """Say which contexts are shipped, and who signed them."""
    trusted = trusted_keys()
    for name in names():
        context = find_context(name)
        until = context.valid_until or "further notice"
        typer.echo(
            printable(
                f"{context.id} {context.version}: {context.title}; {len(context.gates)} gates;"
                f" {context.valid_from} to {until}; {_signed_by(name, trusted)}"
            )
        )


@context_app.command("lint")
def lint(context: ContextArgument) -> None:
    """Say what is wrong or suspicious in a context; it fails where something is wrong."""
    found = find_context(context)
    doubts = doubts_of(found, datetime.now(UTC).astimezone(found.zone).date())
    for doubt in doubts:
        typer.echo(printable(f"{doubt.level}: {doubt.place}: {doubt.text}"))
    errors = sum(doubt.level == "error" for doubt in doubts)
    typer.echo(
        f"{found.id} {found.version}: {len(found.gates)} gates, {len(found.tariff.rates)} rates:"
        f" {errors} errors, {sum(doubt.level == 'warning' for doubt in doubts)} warnings"
    )
    if errors:
        raise typer.Exit(1)


@context_app.command("verify")
def verify(context: ContextArgument, trusted: TrustedOption = None) -> None:
    """Say who signed a context; it fails where nobody did who is trusted."""
    keys = trusted_keys() | _more_keys(trusted)
    found = find_context(context)
    typer.echo(f"{found.id} {found.version} is as {signer_of(found, keys)} signed it")


@context_app.command("sign")
def sign(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The context; it is rewritten.")],
    key: Annotated[
        Path, typer.Option(metavar="FILE", help="The private key, PEM; a new one where none is.")
    ],
    name: Annotated[str, typer.Option(metavar="NAME", help="What the key is called.")],
) -> None:
    """Sign a context anew, after it was changed, and say which public key to trust.

    The keys of the shipped contexts are gone: whoever changes one signs it with a key of his own.
    """
    context = load_context(_read(file), file.name)
    private = _load_key(key) if key.exists() else _make_key(key)
    try:
        file.write_text(written(signed(context, name, private)), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file}: cannot be written ({error.strerror})") from error
    typer.echo(f"signed {context.id} {context.version}; trust it with")
    typer.echo(f'{{"{name}": "{public_key_text(private.public_key())}"}}')


def _signed_by(name: str, trusted: dict[str, str]) -> str:
    try:
        return f"signed by {signer_of(find_context(name), trusted)}"
    except ContextError as error:
        return str(error)


def _more_keys(path: Path | None) -> dict[str, str]:
    return {} if path is None else load_trusted(_read(path), path.name)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _make_key(path: Path) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(pem)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    return key


def _load_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: no private key in PEM without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path}: not an Ed25519 key; leave it out and a new one is made")
    return key
