"""How ways that are not parallel to a gate's run beside it."""

import math
from collections.abc import Sequence

import numpy as np

from services.tolls.alternatives import Alternative
from services.tolls.likelihood import Floats, Seen
from services.tolls.network import GateFrame


def shapes_of(frame: GateFrame, others: Sequence[Alternative], fixes: Sequence[Seen]) -> Floats:
    """Offsets and directions of the alternatives that have a way of their own.

    Returns:
        Shape (n, 2, k): for each fix, where the wheels had gone as far on that way, how far to
        the right of the gate's way it is and how much it turns to the right of that, in rad.
    """
    columns = []
    for other in others:
        if other.way is None:
            continue
        column = []
        for one in fixes:
            along, right, turn = other.way.at(one.run_m)
            if frame.way is not None:
                _, right, own = frame.way.place(along, right)
                turn -= own
            column.append((right, math.remainder(turn, math.tau)))
        columns.append(column)
    if not columns:
        return np.zeros((len(fixes), 2, 0))
    return np.moveaxis(np.array(columns), 0, -1)
