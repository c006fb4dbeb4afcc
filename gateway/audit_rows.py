"""What the audit of commands keeps of a report, and how much of all (pure)."""

import json

from gateway.ledger import Report
from internetcar.contract.message import Value

_MOST_VALUE, _MOST_DETAIL = 200, 400
"""Characters that are kept: a flood of long values must not fill it."""
_WHOSE = "CASE WHEN state = 'rejected' AND digest IS NULL THEN '' ELSE requester END"
PRUNE = f"""
DELETE FROM commands WHERE number IN (
    SELECT number FROM commands
    WHERE {_WHOSE} = (SELECT {_WHOSE} FROM commands GROUP BY 1 ORDER BY count(*) DESC LIMIT 1)
    ORDER BY number LIMIT max(0, (SELECT count(*) FROM commands) - ?))
"""
"""A requester cannot make the audit forget what others did; what was refused unread, nobody's."""
UNFINISHED = """
SELECT requester, id, path, value, digest FROM commands WHERE number IN
    (SELECT max(number) FROM commands WHERE number > (SELECT max(number) FROM commands) - ?
     AND state != 'ended' GROUP BY requester, id, digest IS NULL)
    AND final = 0 ORDER BY number
"""
"""Commands whose newest state is no end. A refusal of another packet with the same id, which has no
digest, says nothing of the command."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS commands (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, requester TEXT NOT NULL,
    id TEXT NOT NULL, path TEXT NOT NULL, value TEXT NOT NULL, state TEXT NOT NULL,
    final INTEGER NOT NULL, reason TEXT, detail TEXT, digest TEXT);
CREATE INDEX IF NOT EXISTS by_id ON commands (requester, id) WHERE digest IS NOT NULL;
CREATE TRIGGER IF NOT EXISTS append_only BEFORE UPDATE ON commands
    BEGIN SELECT RAISE(ABORT, 'the audit is never changed'); END;
"""


def row_of(report: Report) -> tuple[object, ...]:
    """The columns of a report, from `at_ms` on."""
    request = report.request
    return (
        report.at_ns // 1_000_000,
        request.requester,
        request.id,
        request.path,
        _kept(request.value),
        report.state,
        report.final,
        report.reason,
        report.detail and report.detail[:_MOST_DETAIL],
        report.digest,
    )


def _kept(value: Value) -> str:
    """A value as JSON; a long one in part, as a text."""
    text = json.dumps(value)
    return text if len(text) <= _MOST_VALUE else json.dumps(f"{text[:_MOST_VALUE]}…")
