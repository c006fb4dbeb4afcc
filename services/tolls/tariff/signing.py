"""Who vouches for a context: Ed25519 over its canonical JSON without the signature."""

import base64
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import TypeAdapter, ValidationError

from internetcar.contract.signature import SignatureKeyError, canonical_bytes, read_public_key
from services.tolls.tariff.context import Context, ContextError, KeyId, Signature

TrustedTexts = Mapping[str, str]
"""Public keys, 32 bytes as base64, by the name that signatures call them."""


def sign(context: Context, key_id: str, key: Ed25519PrivateKey) -> Context:
    """The context, signed; a signature it had is replaced.

    Raises:
        ContextError: No key may have that name.
    """
    value = base64.b64encode(key.sign(canonical_bytes(context))).decode()
    try:
        signature = Signature(key_id=key_id, value=value)
    except ValidationError as error:
        raise ContextError(
            f"{key_id[:64]!r} is no name of a key: 1 to 64 letters, digits, - _ and ."
        ) from error
    return context.model_copy(update={"signature": signature})


def verify(context: Context, trusted: TrustedTexts) -> str:
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
        key = read_public_key(public)
    except SignatureKeyError as error:
        raise ContextError(f"the trusted key {signature.key_id!r} is no Ed25519 key") from error
    try:
        key.verify(base64.b64decode(signature.value), canonical_bytes(context))
    except InvalidSignature as error:
        raise ContextError(
            f"{named} is not what {signature.key_id!r} signed: take it back or sign it anew"
        ) from error
    return signature.key_id


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
