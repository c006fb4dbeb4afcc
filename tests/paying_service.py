"""A service as small as one can be, for tests that kill it: `python -m tests.paying_service`.

It answers each payment request, and dies at the point that `DIE_AT` names or where a request's
description is `kill`.
"""

import os
import signal
from datetime import UTC, datetime

from sqlalchemy import update

from internetcar.contract.payments import PaymentRequest, PaymentResult
from services import points
from services.database import insert_new
from services.outgoing import enqueue
from services.runner import Runner, run_service
from services.settings import ServiceSettings, load_settings, service_config
from tests.services import HANDLED, METADATA

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


class PayingSettings(ServiceSettings):
    model_config = service_config("paying")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def build(runner: Runner) -> None:
    def pay(request: PaymentRequest) -> None:
        with runner.database.begin() as connection:
            if insert_new(connection, HANDLED, id=request.request_id, times=0):
                connection.execute(
                    update(HANDLED)
                    .where(HANDLED.c.id == request.request_id)
                    .values(times=HANDLED.c.times + 1)
                )
            if request.description == "kill":
                die()
            result = PaymentResult(
                vehicle_id=request.vehicle_id, request_id=request.request_id,
                requester=request.requester, state="posted", amount_minor=request.amount_minor,
                currency=request.currency, at=AT,
            )  # fmt: skip
            enqueue(connection, result)

    runner.on(PaymentRequest, pay)


def main() -> None:
    fatal = os.environ.get("DIE_AT")
    points.install(lambda point: die() if point == fatal else None)
    run_service("test", load_settings(PayingSettings, None), METADATA, build)


if __name__ == "__main__":
    main()
