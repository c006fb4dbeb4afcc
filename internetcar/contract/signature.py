"""Who said it: Ed25519 signatures over the canonical JSON of what was said."""

import binascii
import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import TypeVar

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel

from internetcar.contract.message import InputError
from internetcar.contract.tolls import TollCharge, TollDeclaration

S = TypeVar("S", TollCharge, TollDeclaration)

TrustedKeys = Mapping[str, Ed25519PublicKey]
"""Public keys by their id."""

_KEY_BYTES = 32
_KEY_ID_DIGITS = 16


class SignatureKeyError(InputError):
    """A text is no key: it says which, and what a key looks like."""


def canonical_bytes(said: BaseModel) -> bytes:
    """What is signed: JSON of all but the signature and defaults, keys sorted, no white space.

    What stands in the topic of a message and the id of its key are within. A field that is added
    with a default leaves the bytes of what is older alone.
    """
    body = said.model_dump(mode="json", exclude={"signature"}, exclude_defaults=True)
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def sign(charge: S, key: Ed25519PrivateKey) -> S:
    """The same charge with the key's id and its signature; the same charge gets the same one."""
    named = charge.model_copy(update={"key_id": key_id(key.public_key())})
    signature = b64encode(key.sign(canonical_bytes(named))).decode()
    return named.model_copy(update={"signature": signature})


def is_signed(charge: TollCharge | TollDeclaration, trusted: TrustedKeys) -> bool:
    """Whether one of the trusted keys, by its id, signed exactly this.

    Args:
        charge: As it was decoded; whatever its signature is, the answer is yes or no.
        trusted: Public keys by their id.
    """
    key = trusted.get(charge.key_id)
    if key is None:
        return False
    try:
        key.verify(b64decode(charge.signature, validate=True), canonical_bytes(charge))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def key_id(key: Ed25519PublicKey) -> str:
    """The name of a key: the first 16 hexadecimal digits of the SHA-256 of its 32 bytes."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:_KEY_ID_DIGITS]


def public_key_text(key: Ed25519PublicKey) -> str:
    """A public key as it stands in settings: base64 of its 32 bytes."""
    return b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def read_public_key(text: str) -> Ed25519PublicKey:
    """A public key from what `public_key_text` wrote.

    Raises:
        SignatureKeyError: It is none.
    """
    return Ed25519PublicKey.from_public_bytes(_key_bytes(text))


def private_key_text(key: Ed25519PrivateKey) -> str:
    """A private key as base64 of its 32 bytes; a secret."""
    return b64encode(key.private_bytes_raw()).decode()


def read_private_key(text: str) -> Ed25519PrivateKey:
    """A private key from what `private_key_text` wrote.

    Raises:
        SignatureKeyError: It is none; the text itself is not repeated.
    """
    return Ed25519PrivateKey.from_private_bytes(_key_bytes(text))


def _key_bytes(text: str) -> bytes:
    try:
        raw = b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureKeyError(
            "an Ed25519 key is base64 of 32 bytes; this is no base64"
        ) from error
    if len(raw) != _KEY_BYTES:
        raise SignatureKeyError(f"an Ed25519 key is base64 of 32 bytes, not of {len(raw)}")
    return raw
