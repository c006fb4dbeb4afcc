"""What must survive the death of the service (pure).

Take-off and arming are remembered before they are asked for: what was perhaps asked is never asked
again.
"""

from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from internetcar.contract.drone import State
from internetcar.contract.drone_methods import METHODS
from services.drone.autopilot import Mode
from services.drone.geodesy import Place

RECENT_LAUNCHES = 20
"""So many of the last launches are known by their tid and refused again."""


class _Kept(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class Wish(_Kept):
    """An accepted request whose end is not yet told."""

    tid: str
    bid: str | None = None
    requester: str
    method: str


class Flight(_Kept):
    """The flight that goes on, and what it is for."""

    wish: Wish
    task: str
    method: str
    """Whose data these are."""
    data: dict[str, Any] = Field(default_factory=dict)
    height_m: float
    task_memory: dict[str, Any] = Field(default_factory=dict)
    is_arm_sent: bool = False
    is_takeoff_sent: bool = False
    is_task_done: bool = False


class Hold(_Kept):
    """Why it hovers, and what it goes on with."""

    why: str
    """`stop`, `car_fix`, `interlock`, `given_back` or `unknown_flight`."""
    resume: State
    words: str = ""


class Target(_Kept):
    """Where a flight ends that cannot end on the car."""

    lat_deg: float
    lon_deg: float
    words: str
    is_here: bool = False
    """Straight down, without flying on."""
    is_for_car: bool = False
    """Only because the car was not heard: it turns back to a car that is heard again."""

    @property
    def place(self) -> Place:
        """As a place."""
        return Place(self.lat_deg, self.lon_deg)


class Memory(_Kept):
    """Everything that is remembered."""

    state: State = "offline"
    since_ms: int = 0
    detail: str = ""
    before: State | None = None
    """The state before the link was lost or the service died."""
    flight: Flight | None = None
    wishes: list[Wish] = Field(default_factory=list)
    mode: Mode | None = None
    """The mode that the service asked for last; any other is somebody else's."""
    hold: Hold | None = None
    target: Target | None = None
    is_rebuilding: bool = False
    """BRAKE was asked for only to let the autopilot's return begin anew."""
    launched: list[str] = Field(default_factory=list)
    rules: dict[str, Any] = Field(default_factory=dict)

    def text(self) -> str:
        """As JSON, the same for the same memory."""
        return orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS).decode()


def recall(text: str | None) -> tuple[Memory, str]:
    """The memory in a text, and what is wrong with the text: then the memory is empty."""
    if text is None:
        return Memory(), ""
    try:
        memory = Memory.model_validate_json(text)
        if memory.flight is not None:
            METHODS[memory.flight.method].model_validate(memory.flight.data)
    except KeyError as error:
        return Memory(), f"what was remembered cannot be read: there is no method {error}"
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return Memory(), f"what was remembered cannot be read: {first['msg']}"
    return memory, ""
