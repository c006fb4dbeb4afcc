"""What the database itself refuses: to change, forget, or unbalance the ledger. Pure SQL text."""

import re
from collections.abc import Sequence

FOR_EVER = ("entries", "postings", "answers")
"""The tables whose rows nobody changes or removes."""
_TAKEN = {
    "entries": (
        "EXISTS (SELECT 1 FROM entries WHERE number = NEW.number OR entry_id = NEW.entry_id"
        " OR ends = NEW.ends OR reverses = NEW.reverses)"
    ),
    "postings": (
        "typeof(NEW.amount_minor) <> 'integer'"
        " OR EXISTS (SELECT 1 FROM postings WHERE number = NEW.number)"
        " OR EXISTS (SELECT 1 FROM postings WHERE entry_id = NEW.entry_id AND name = NEW.name"
        " AND currency = NEW.currency)"
    ),
    "answers": (
        "EXISTS (SELECT 1 FROM answers WHERE scope = NEW.scope AND requester = NEW.requester"
        " AND request_id = NEW.request_id"
        " AND (digest = NEW.digest OR (is_binding AND NEW.is_binding)))"
    ),
}
"""Where a row is in the way. SQLite's INSERT OR REPLACE would remove it, and asks no trigger."""

PRESENT = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": (
        "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE relnamespace = current_schema()::regnamespace AND tgenabled = 'A'"
    ),
}
"""How each database is asked for the names of the triggers that work in it."""

_UNBALANCED = """(SELECT count(*) FROM postings WHERE entry_id = NEW.entry_id) < 2 OR EXISTS (
    SELECT 1 FROM postings WHERE entry_id = NEW.entry_id
    GROUP BY currency HAVING sum(amount_minor) <> 0 OR currency <> NEW.currency)"""
_SEALED = "EXISTS (SELECT 1 FROM entries WHERE entry_id = NEW.entry_id)"
_SAID = {
    "no_update": "is for ever: no UPDATE",
    "no_delete": "is for ever: no DELETE",
    "no_replace": "has such a row already, or it is none",
    "sealed": "the entry is sealed: no more postings",
    "balanced": "an entry needs two postings or more, in its currency, that add up to 0",
}


def trigger_ddl(dialect: str) -> Sequence[str]:
    """The statements that make the triggers, repeatable.

    Args:
        dialect: `sqlite` or `postgresql`.
    """
    return _sqlite() if dialect == "sqlite" else _postgresql()


def trigger_names(dialect: str) -> set[str]:
    """The triggers that must be there."""
    made = " ".join(trigger_ddl(dialect))
    return set(re.findall(r"CREATE TRIGGER (?:IF NOT EXISTS )?(\w+)", made))


def _sqlite() -> list[str]:
    made = []
    for table in FOR_EVER:
        for rule, event in (("no_update", "UPDATE"), ("no_delete", "DELETE")):
            made.append(_sqlite_trigger(table, rule, event, "1"))
        made.append(_sqlite_trigger(table, "no_replace", "INSERT", _TAKEN[table]))
    made.append(_sqlite_trigger("postings", "sealed", "INSERT", _SEALED))
    made.append(_sqlite_trigger("entries", "balanced", "INSERT", _UNBALANCED))
    return made


def _sqlite_trigger(table: str, rule: str, event: str, condition: str) -> str:
    return (
        f"CREATE TRIGGER IF NOT EXISTS {table}_{rule} BEFORE {event} ON {table} WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{table}: {_SAID[rule]}'); END"
    )


def _postgresql() -> list[str]:
    made = [
        _function("ledger_is_for_ever", "RAISE EXCEPTION 'the ledger is for ever: no change';"),
        # The lock makes a posting wait for a transaction that is sealing its entry.
        _function(
            "ledger_sealed",
            "PERFORM pg_advisory_xact_lock(hashtextextended(NEW.entry_id, 0));"
            f" IF {_SEALED} THEN RAISE EXCEPTION 'postings: {_SAID['sealed']}'; END IF;"
            " RETURN NEW;",
        ),
        _function(
            "ledger_balanced",
            "PERFORM pg_advisory_xact_lock(hashtextextended(NEW.entry_id, 0));"
            f" IF {_UNBALANCED} THEN RAISE EXCEPTION 'entries: {_SAID['balanced']}'; END IF;"
            " RETURN NEW;",
        ),
    ]
    for table in FOR_EVER:
        made += _trigger(table, "for_ever", "UPDATE OR DELETE", "ROW", "ledger_is_for_ever")
        made += _trigger(table, "no_truncate", "TRUNCATE", "STATEMENT", "ledger_is_for_ever")
    made += _trigger("postings", "sealed", "INSERT", "ROW", "ledger_sealed")
    made += _trigger("entries", "balanced", "INSERT", "ROW", "ledger_balanced")
    return made


def _function(name: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
        f" SET search_path FROM CURRENT AS $$ BEGIN {body} END $$"
    )


def _trigger(table: str, rule: str, event: str, each: str, function: str) -> list[str]:
    return [
        f"DROP TRIGGER IF EXISTS {table}_{rule} ON {table}",
        f"CREATE TRIGGER {table}_{rule} BEFORE {event} ON {table} FOR EACH {each}"
        f" EXECUTE FUNCTION {function}()",
        # Also for a session that sets session_replication_role.
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{rule}",
    ]
