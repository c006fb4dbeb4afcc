"""Says something to the recommendation service, and waits for its answer."""

import queue
import time
from typing import Any

import typer
from pydantic import ValidationError

from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.link import Link
from internetcar.contract.message import InputError
from internetcar.contract.recommendations import (
    RecommendationAnswer,
    RecommendationControl,
    RecommendationFeedback,
)
from internetcar.launcher.options import broker_of
from internetcar.launcher.recommend_words import answer_line
from internetcar.launcher.roll_call import CONNECT_S, one_vehicle
from internetcar.launcher.set import requester_of

SILENCE_S = 5.0
CAR_S = 60.0
"""What an offer sets has come to its end within it, or is given up."""
NEWS_S = 2.0


def ask(
    cls: type[RecommendationFeedback | RecommendationControl],
    broker: str,
    vehicle_id: str,
    requester: str,
    **asked: Any,
) -> None:
    """Say it, and print what is answered; ends with 1 where it was not done."""
    url = broker_of(broker)
    who = requester_of(url, requester)
    vehicle_id = one_vehicle(url, vehicle_id)
    try:
        message = cls.model_validate({"vehicle_id": vehicle_id, "requester": who, **asked})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "what is asked"
        raise InputError(f"{place}: {first['msg'].removeprefix('Value error, ')}") from error
    heard: queue.SimpleQueue[RecommendationAnswer | Delivery] = queue.SimpleQueue()
    link = Link(url, f"recommend-{time.monotonic_ns():x}")
    link.on(RecommendationAnswer, heard.put, requester=who, vehicle_id=vehicle_id)
    link.start(wait_s=CONNECT_S)
    try:
        link.publish(message, heard.put)
        wait_s = CAR_S if cls is RecommendationFeedback else SILENCE_S
        answer = answer_of(heard, asked.get("offer_id") or asked.get("request_id"), who, wait_s)
    finally:
        link.stop()
    if answer is None or answer.status != "done":
        raise typer.Exit(1)


def answer_of(
    heard: "queue.SimpleQueue[RecommendationAnswer | Delivery]",
    asked: object,
    who: str,
    wait_s: float,
) -> RecommendationAnswer | None:
    """The answer with an id, printed; `None` where nobody answers."""
    deadline_s = time.monotonic() + wait_s
    news_s = min(NEWS_S, wait_s) if wait_s > SILENCE_S else wait_s
    while (left_s := deadline_s - time.monotonic()) > 0:
        try:
            found = heard.get(timeout=min(left_s, news_s))
        except queue.Empty:
            if news_s < wait_s:
                typer.echo("sent; waiting for the car")
            news_s = wait_s
            continue
        if isinstance(found, Delivery):
            if found.outcome is Outcome.NOT_PERMITTED:
                typer.echo(f"refused: the broker's rules do not let {who} say this")
                return None
        elif found.id == asked:
            typer.echo(answer_line(found))
            return found
    typer.echo("no answer: the recommendation service is away, or the rules keep it from us")
    return None
