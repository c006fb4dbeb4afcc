"""A stored passage with its signed charges, for tests."""

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from internetcar.contract.signature import key_id
from services.tolls.facts import Finding
from services.tolls.passages.charging import Billing, Movement, Owed, next_movement
from services.tolls.passages.entry import Declared, Entry
from services.tolls.passages.matching import take
from services.tolls.passages.reckoning import Account, Reckoned, with_movement
from services.tolls.passages.records import GateFacts, charge_message, evidence_digest, kept_record
from tests.unit.toll_findings import PLACE, START_MS, finding

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY_ID = key_id(KEY.public_key())
TRUSTED = {KEY_ID: KEY.public_key()}
FACTS = GateFacts("singapore", "2026.1", "lta", "SGD", "CTE Braddell Road", ("cte-1",))


def entry(found: Finding | None = None, **account: object) -> Entry:
    known = take(found or finding(travelled_m=5_000.0), PLACE, [], 0)
    digest = evidence_digest(known.finding)
    return Entry(Account(known, **account), FACTS, digest, revision=1)  # type: ignore[arg-type]  # the caller's


def charged(kept: Entry, owed_minor: int, reason: str | None = None) -> tuple[Entry, bytes]:
    """The entry once this is asked for, and the signed record."""
    account = kept.account
    movement = next_movement(kept.passage_id, account.movements, owed_minor, START_MS)
    assert movement is not None
    reckoned = Reckoned(owed_minor, Owed(owed_minor, ("a rule",), reason))
    record = kept_record(charge_message(account, movement, reckoned, FACTS, kept.digest, KEY))
    return moved(replace(kept, fee_minor=owed_minor, words=("a rule",)), movement), record


def moved(kept: Entry, movement: Movement) -> Entry:
    """The entry with this movement, or with its answer."""
    return replace(kept, account=with_movement(kept.account, movement))


def declared(kept: Entry, fee_minor: int, billing: Billing | None = None) -> Entry:
    """The entry once this fee is declared and, where there is one, answered."""
    more = Declared(f"d{len(kept.declared) + 1}", fee_minor, billing is not None)
    billings = (*kept.account.billings, *([billing] if billing else []))
    account = replace(kept.account, billings=billings)
    return replace(kept, account=account, declared=(*kept.declared, more))
