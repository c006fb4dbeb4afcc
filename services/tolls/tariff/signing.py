"""Who vouches for a context: Ed25519 over its canonical JSON without the signature."""

import base64
import binascii
from collections.abc import Mapping

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import TypeAdapter, ValidationError

from services.tolls.tariff.context import Context, ContextError, KeyId, Signature

TrustedKeys = Mapping[str, str]
"""Public keys, 32 bytes as base64, by the name that signatures call them."""


def canonical(context: Context) -> bytes:
    """The bytes that are signed: all but the signature, keys sorted, nothing that is a default.

    A field that is added to the schema with a default leaves the bytes of an older context alone.
    """
    body = context.model_dump(mode="json", exclude={"signature"}, exclude_defaults=True)
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def sign(context: Context, key_id: str, key: Ed25519PrivateKey) -> Context:
    """The context, signed; a signature it had is replaced.

    Raises:
        ContextError: No key may have that name.
    """
    value = base64.b64encode(key.sign(canonical(context))).decode()
    try:
        signature = Signature(key_id=key_id, value=value)
    except ValidationError as error:
        raise ContextError(
            f"{key_id[:64]!r} is no name of a key: 1 to 64 letters, digits, - _ and ."
        ) from error
    return context.model_copy(update={"signature": signature})


def verify(context: Context, trusted: TrustedKeys) -> str:
    """Who signed a context.

    Raises:
        ContextError: Nobody did, or nobody trusted, or it was changed since.
    """
    named = f"{context.id} {context.version}"
    signature = context.signature
    if signature is None:
        raise ContextError(f"{named} is not signed: run car tolls context sign")
    public = trusted.get(signature.key_id)
    if public is None:
        raise ContextError(f"{named} is signed by {signature.key_id!r}, which is not trusted")
    try:
        raw = base64.b64decode(public, validate=True)
        key = Ed25519PublicKey.from_public_bytes(raw)
    except (binascii.Error, ValueError) as error:
        raise ContextError(f"the trusted key {signature.key_id!r} is no Ed25519 key") from error
    try:
        key.verify(base64.b64decode(signature.value), canonical(context))
    except InvalidSignature as error:
        raise ContextError(
            f"{named} is not what {signature.key_id!r} signed: take it back or sign it anew"
        ) from error
    return signature.key_id


def public_text(key: Ed25519PrivateKey) -> str:
    """The public half of a key, as it stands among the trusted ones."""
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def load_trusted(text: bytes | str, name: str) -> dict[str, str]:
    """Read trusted keys: a JSON object of names and public keys.

    Raises:
        ContextError: It is none.
    """
    try:
        return TypeAdapter(dict[KeyId, str]).validate_json(text)
    except ValidationError as error:
        raise ContextError(
            f'{name}: expected {{"key name": "base64 of an Ed25519 public key"}}'
        ) from error
