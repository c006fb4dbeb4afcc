"""The states of a drone, by what they have in common (pure)."""

from internetcar.contract.drone import State

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
