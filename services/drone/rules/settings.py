"""What rules there are, and when each is due (pure)."""

import tomllib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from internetcar.contract.drone_methods import Point, Task
from internetcar.contract.message import Name, Path, Scalar
from services.drone.rules.defaults import DEFAULT_RULES

RENDEZVOUS: Literal["rendezvous"] = "rendezvous"
"""The task of a rule that launches nothing: it calls back a drone that is out."""
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Kmh = Annotated[float, Field(ge=0, le=250)]


class _Settings(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True
    )


class Comparison(_Settings):
    """A leaf of the car against one limit."""

    path: Path
    above: float | None = None
    below: float | None = None
    is_: Scalar | None = Field(default=None, alias="is")
    is_not: Scalar | None = None
    hysteresis: float = Field(
        default=0.0, ge=0, description="once it holds, it must fall so far short to end"
    )
    for_s: Seconds = Field(default=0.0, description="it must hold so long without a break")

    @model_validator(mode="after")
    def _has_one_limit(self) -> "Comparison":
        limits = (self.above, self.below, self.is_, self.is_not)
        if sum(limit is not None for limit in limits) != 1:
            raise ValueError(f"{self.path} needs exactly one of above, below, is, is_not")
        if self.hysteresis and self.above is None and self.below is None:
            raise ValueError(f"{self.path}: hysteresis belongs to above or below")
        return self


class Either(_Settings):
    """At least one of several comparisons."""

    any: tuple[Comparison, ...] = Field(min_length=1, max_length=16)
    for_s: Seconds = 0.0


class AtRest(_Settings):
    """The car stands."""

    condition: Literal["at_rest"] = "at_rest"
    below_kmh: Kmh = 0.5
    for_s: Seconds = 0.0


class Parked(_Settings):
    """The car stands, in park or with its parking brake."""

    condition: Literal["parked"] = "parked"
    below_kmh: Kmh = 0.5
    for_s: Seconds = 0.0


class Jam(_Settings):
    """Slow or standing traffic, which a red light is not.

    It holds in a gear to drive, after a drive, in each of these:
    - it stands longer than any light (`standing_s`; lights seldom stay red above two minutes);
    - it got hardly on in the whole window and stopped again and again (`stops`: one long light is
      one stop, and before and after it the car gets on);
    - it got hardly on without standing (rolling), which no light does.
    It is over when the car was at `free_kmh` for `free_s`, or parked.
    """

    condition: Literal["jam"] = "jam"
    standing_s: float = Field(
        default=180.0, ge=5, le=3_600, description="stands so long: longer than any red light"
    )
    window_s: float = Field(default=240.0, ge=20, le=3_600, description="looks back so long")
    moved_m: float = Field(default=400.0, gt=0, le=10_000, description="got less far in it")
    mean_kmh: float = Field(default=8.0, gt=0, le=50, description="was slower in it, on average")
    stops: int = Field(default=3, ge=1, le=50, description="stopped so often in it, or rolled")
    driven_kmh: float = Field(default=30.0, ge=0, le=250, description="it drove so fast before")
    driven_within_s: float = Field(
        default=1_800.0, ge=1, le=86_400, description="that drive is no longer ago"
    )
    free_kmh: float = Field(default=25.0, gt=0, le=250, description="traffic so fast runs freely")
    free_s: float = Field(default=20.0, ge=0, le=3_600, description="so long it must: it is over")
    needs_drive: bool = Field(
        default=True, description="false: a manual gearbox, in neutral while it stands"
    )
    for_s: Seconds = 0.0


BUILT_IN = ("jam", "parked", "at_rest")


def _kind(value: object) -> str:
    if isinstance(value, Mapping):
        if "condition" in value:
            return str(value["condition"])
        return "any" if "any" in value else "path"
    return str(getattr(value, "condition", "any" if isinstance(value, Either) else "path"))


def _named(value: object) -> object:
    """`"jam"` is short for `{condition = "jam"}`."""
    return {"condition": value} if isinstance(value, str) else value


Condition = Annotated[
    Annotated[Comparison, Tag("path")]
    | Annotated[Either, Tag("any")]
    | Annotated[AtRest, Tag("at_rest")]
    | Annotated[Parked, Tag("parked")]
    | Annotated[Jam, Tag("jam")],
    Discriminator(
        _kind,
        custom_error_type="condition",
        custom_error_message="there is no such condition; "
        + ", ".join(BUILT_IN)
        + ", or a table with path, or any",
    ),
    BeforeValidator(_named),
]


class Limits(_Settings):
    """How often at most, whether the rule or a request starts it."""

    per_hour: int = Field(default=4, ge=0, le=60, description="flights of its task")
    per_day: int = Field(default=12, ge=0, le=500, description="flights of its task")


class RuleSettings(_Settings):
    """When the car itself starts a task; without `when` only a request does."""

    task: Task | Literal["rendezvous"] = Field(
        description="what is flown; rendezvous: a drone that is out meets the car, which moves"
    )
    enabled: bool = Field(default=True, description="false: nor by request")
    when: tuple[Condition, ...] = Field(default=(), max_length=16, description="all must hold")
    cooldown_s: Seconds = Field(default=600.0, description="from one time to the next")
    rearm_s: Seconds = Field(
        default=10.0, description="its conditions failed so long: it may be due again"
    )
    max_age_s: float = Field(
        default=90.0, gt=0, le=600, description="a leaf is repeated every 60 s; older counts not"
    )
    limits: Limits = Limits()
    duration_s: float | None = Field(
        default=None, gt=0, le=1_800, description="none: that of the task's settings"
    )
    points: tuple[Point, ...] = Field(
        default=(), max_length=50, description="scout: the way ahead; hand_over: where to"
    )


def _over_defaults(value: object) -> object:
    """What a file says of a shipped rule stands above it, key by key."""
    if not isinstance(value, Mapping):
        return value
    table: dict[Any, Any] = dict(tomllib.loads(DEFAULT_RULES))
    for name, rule in value.items():
        under = table.get(name)
        both = isinstance(rule, Mapping) and under is not None
        table[name] = {**under, **rule} if both and under is not None else rule
    return table


RuleTable = Annotated[
    dict[Name, RuleSettings],
    BeforeValidator(_over_defaults),
    Field(max_length=50),
]
"""Rules by name, above those that are shipped; settings validate its default, `{}`."""
