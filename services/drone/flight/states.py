"""The states of a drone, by what they have in common (pure)."""

from internetcar.contract.drone import State

ON_GROUND: frozenset[State] = frozenset({"offline", "docked", "preflight", "armed", "fault"})
FLYING: frozenset[State] = frozenset(
    {
        "takeoff", "enroute", "on_task", "returning", "rendezvous", "landing", "hold",
        "divert_landing", "failsafe", "lost_link",
    }
)  # fmt: skip
"""It may be in the air."""

STEERED: frozenset[State] = FLYING - {"failsafe", "lost_link"}
"""The service decides where it flies."""

ON_THE_JOB: frozenset[State] = frozenset({"takeoff", "enroute", "on_task"})
"""A task goes on: a return would end it."""

MODE_CODES: dict[State, int] = {
    "offline": 14, "docked": 0, "preflight": 1, "armed": 2, "takeoff": 4, "enroute": 5,
    "on_task": 5, "returning": 9, "rendezvous": 9, "landing": 10, "hold": 3,
    "divert_landing": 11, "failsafe": 12, "lost_link": 14, "fault": 13,
}  # fmt: skip
"""DJI's `mode_code`: 0 standby, 1 and 2 preparing, 3 manual, 4 take-off, 5 way points, 9 return,
10 landing, 11 forced landing, 12 landing on three propellers (here: failsafe), 14 not connected."""
