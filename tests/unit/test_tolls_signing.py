"""Who vouches for a context, and what a changed one is taken for."""

import base64
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from internetcar.contract.signature import canonical_bytes, public_key_text
from services.tolls.tariff.context import Context, ContextError, Signature
from services.tolls.tariff.layout import written
from services.tolls.tariff.shipped import (
    CONTEXTS,
    find_context,
    names,
    trusted_keys,
    verified_contexts,
)
from services.tolls.tariff.signing import load_trusted, sign, verify
from tests.unit.toll_tariffs import all_day, context_of, gate

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
TRUSTED = {"ours": public_key_text(KEY.public_key())}


@pytest.mark.parametrize("name", names())
def test_every_shipped_context_is_signed_by_a_trusted_key(name: str) -> None:
    assert verify(find_context(name), trusted_keys()) in trusted_keys()
    assert [context.id for context in verified_contexts([name], trusted_keys())] == [name]


def test_a_signed_context_is_as_it_was_signed() -> None:
    context = sign(context_of(rates=[all_day("1.00")]), "ours", KEY)
    assert verify(context, TRUSTED) == "ours"
    again = sign(sign(context, "theirs", OTHER), "ours", KEY)
    assert again == context


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Elsewhere"},
        {"version": "2"},
        {"valid_until": date(2027, 1, 1)},
        {"tariff": context_of(rates=[all_day(Decimal("1.01"))]).tariff},
        {"gates": context_of(gates=[gate("A", bearing_deg=1)]).gates},
    ],
)
def test_a_changed_context_is_not_what_was_signed(change: dict[str, Any]) -> None:
    context = sign(context_of(rates=[all_day("1.00")]), "ours", KEY).model_copy(update=change)
    with pytest.raises(ContextError, match="is not what 'ours' signed"):
        verify(context, TRUSTED)


def test_an_unsigned_context_and_one_of_a_stranger_are_refused() -> None:
    context = context_of()
    with pytest.raises(ContextError, match="testland 1 is not signed: run car tolls context sign"):
        verify(context, TRUSTED)
    with pytest.raises(ContextError, match="signed by 'theirs', which is not trusted"):
        verify(sign(context, "theirs", OTHER), TRUSTED)
    with pytest.raises(ContextError, match="is not what 'ours' signed"):
        verify(sign(context, "ours", OTHER), TRUSTED)


@pytest.mark.parametrize(
    "public", ["", "AAAA", "not base64!", base64.b64encode(b"x" * 33).decode()]
)
def test_a_trusted_key_that_is_none_is_said_to_be(public: str) -> None:
    with pytest.raises(ContextError, match="the trusted key 'ours' is no Ed25519 key"):
        verify(sign(context_of(), "ours", KEY), {"ours": public})


@pytest.mark.parametrize("text", ["", "[]", '{"a b": "x"}', '{"a": 1}', "{", b"\xff"])
def test_trusted_keys_that_are_none_are_refused(text: bytes | str) -> None:
    with pytest.raises(ContextError, match=r"^keys\.json: expected "):
        load_trusted(text, "keys.json")


def test_what_is_signed_does_not_depend_on_defaults_that_are_written_out() -> None:
    plain = context_of(rates=[all_day("1.00")])
    spelled = context_of(rates=[all_day("1.00", part="toll", per="passage", places=[])])
    assert canonical_bytes(plain) == canonical_bytes(spelled)
    signature = Signature(key_id="k", value="A" * 86 + "==")
    assert canonical_bytes(plain.model_copy(update={"signature": signature})) == canonical_bytes(
        plain
    )


def test_a_signature_survives_the_file() -> None:
    context = sign(context_of(rates=[all_day("1.00")]), "ours", KEY)
    assert verify(Context.model_validate_json(written(context)), TRUSTED) == "ours"


def test_the_trusted_keys_are_in_a_file_of_their_own() -> None:
    assert load_trusted((CONTEXTS / "trusted.json").read_bytes(), "trusted.json") == trusted_keys()
