"""A toll charge says who made it, and nobody can change it."""

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from internetcar.contract.signature import (
    SignatureKeyError,
    canonical_bytes,
    is_signed,
    key_id,
    private_key_text,
    public_key_text,
    read_private_key,
    read_public_key,
    sign,
)
from internetcar.contract.tolls import Crossing, TollCharge

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TRUSTED = {key_id(KEY.public_key()): KEY.public_key()}
CHARGE = TollCharge(
    vehicle_id="car",
    charge_id="charge-1",
    kind="charge",
    operator="lta",
    passage_id="passage-1",
    crossing=Crossing(
        gate="42",
        label="CTE, Zürich",
        crossed_at=datetime(2026, 5, 4, 0, 1, 2, 345678, tzinfo=UTC),
        uncertainty_ms=80,
    ),
    amount_minor=300,
    currency="SGD",
    fee_minor=300,
    context="singapore",
    context_version="2026-05-01",
    words=["08:00 to 08:30: 3.00"],
    evidence_digest="0" * 64,
    origin="live",
    key_id="",
    signature="",
)


def test_what_is_signed_is_trusted_also_after_the_wire() -> None:
    signed = sign(CHARGE, KEY)
    heard = TollCharge.decode(signed.topic, signed.encode())
    assert is_signed(signed, TRUSTED)
    assert is_signed(heard, TRUSTED)
    assert canonical_bytes(heard) == canonical_bytes(signed)


class LaterCharge(TollCharge):
    """What a later version may make of a charge: one more field, with a default."""

    lane: int = 0


def test_a_field_that_is_added_with_a_default_leaves_older_signatures_valid() -> None:
    signed = sign(CHARGE, KEY)
    later = LaterCharge.decode(signed.topic, signed.encode())
    assert is_signed(later, TRUSTED)
    assert not is_signed(later.model_copy(update={"lane": 1}), TRUSTED)
    assert is_signed(sign(later.model_copy(update={"lane": 1}), KEY), TRUSTED)


def test_canonical_bytes_have_all_but_defaults_and_the_signature_in_sorted_order() -> None:
    text = canonical_bytes(sign(CHARGE, KEY)).decode()
    assert text.startswith('{"amount_minor":300,"charge_id":"charge-1","context":"singapore"')
    assert '"reason"' not in text
    assert (
        '"reason":"late"' in canonical_bytes(CHARGE.model_copy(update={"reason": "late"})).decode()
    )
    assert '"vehicle_id":"car"' in text
    assert "signature" not in text


@pytest.mark.parametrize(
    "change",
    [
        {"vehicle_id": "other"}, {"amount_minor": 301}, {"charge_id": "charge-2"},
        {"origin": "simulation"}, {"kind": "refund"}, {"reason": "x"}, {"key_id": "other"},
        {"words": []}, {"signature": ""}, {"signature": "é"}, {"signature": "AA=="},
        {"signature": "no base64"},
    ],
)  # fmt: skip
def test_no_field_can_be_changed(change: dict[str, object]) -> None:
    assert not is_signed(sign(CHARGE, KEY).model_copy(update=change), TRUSTED)


def test_a_stranger_s_key_is_not_trusted() -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    forged = sign(CHARGE, stranger)
    assert not is_signed(forged, TRUSTED)
    assert not is_signed(forged.model_copy(update={"key_id": next(iter(TRUSTED))}), TRUSTED)


def test_keys_survive_their_text() -> None:
    assert public_key_text(read_public_key(public_key_text(KEY.public_key()))) == public_key_text(
        KEY.public_key()
    )
    assert private_key_text(read_private_key(private_key_text(KEY) + "\n")) == private_key_text(KEY)


@given(st.one_of(st.text(max_size=60), st.binary(max_size=40).map(lambda b: b64encode(b).decode())))
def test_any_text_is_a_key_or_refused_without_being_repeated(text: str) -> None:
    for read in (read_private_key, read_public_key):
        try:
            read(text)
        except SignatureKeyError as error:
            assert "32 bytes" in str(error)
