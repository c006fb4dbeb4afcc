"""How ways that are not parallel to a gate's run beside it."""

from collections.abc import Sequence

import numpy as np

from services.tolls.detection.alternatives import Alternative
from services.tolls.detection.bends import Floats
from services.tolls.detection.network import GateFrame
from services.tolls.detection.rows import Seen


def shapes_of(frame: GateFrame, others: Sequence[Alternative], fixes: Sequence[Seen]) -> Floats:
    """Offsets of the alternatives that have a way of their own.

    Returns:
        Shape (n, k): for each fix, where the wheels had gone as far on that way, how far to the
        right of the gate's way it is.
    """
    columns = []
    for other in others:
        if other.way is None:
            continue
        column = []
        for one in fixes:
            along, right, _ = other.way.at(one.run_m)
            column.append(right if frame.way is None else frame.way.place(along, right)[1])
        columns.append(column)
    if not columns:
        return np.zeros((len(fixes), 0))
    return np.array(columns).T
