"""What is kept of a trip: what was heard, and how many rode along (pure)."""

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from internetcar.contract.money import LINE
from services.recommendations.advising import MOST_BYTES, Body
from services.recommendations.media.items import MOST_LETTERS, Heard

MOST_HEARD = 40
"""Of one trip."""
MOST_RIDERS = 8
_LONGEST_S = 86_400.0
_LINE = re.compile(LINE)


class Past(NamedTuple):
    """What was heard on a trip.

    Attributes:
        heard: In order.
        riders: How many rode along; `None`: that is not known.
    """

    heard: tuple[Heard, ...]
    riders: int | None


def written(heard: Sequence[Heard], riders: int | None) -> Body | None:
    """As JSON has it, the first items of it where there are too many; `None`: none was heard."""
    kept = list(heard[:MOST_HEARD])
    while kept:
        names = list(dict.fromkeys(each.item for each in kept))
        rows = [[names.index(each.item), round(each.heard_s)] for each in kept]
        body = {"items": names, "heard": rows, "riders": riders}
        if len(orjson.dumps(body)) <= MOST_BYTES:
            return body
        kept.pop()
    return None


def read(body: Body) -> Past:
    """What was kept; what cannot be read of it is left out."""
    names, rows, riders = body.get("items"), body.get("heard"), body.get("riders")
    heard = []
    if isinstance(names, list) and isinstance(rows, list):
        for row in rows[:MOST_HEARD]:
            one = _heard(names, row)
            if one is not None:
                heard.append(one)
    is_known = type(riders) is int and 0 <= riders <= MOST_RIDERS
    return Past(tuple(heard), riders if is_known else None)


def _heard(names: Sequence[Any], row: Any) -> Heard | None:
    if not isinstance(row, list) or len(row) != 2:
        return None
    number, heard_s = row
    if type(number) is not int or not 0 <= number < len(names):
        return None
    item = names[number]
    if not isinstance(item, str) or not 0 < len(item) <= MOST_LETTERS:
        return None
    if _LINE.fullmatch(item) is None:
        return None
    if type(heard_s) not in (int, float) or not math.isfinite(heard_s):
        return None
    return Heard(item, min(max(float(heard_s), 0.0), _LONGEST_S))
