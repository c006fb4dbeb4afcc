"""The digest of what is asked: the same thing asked again has the same one, over an upgrade too."""

from internetcar.contract.payments import PaymentRequest
from internetcar.contract.tolls import TollCharge
from services.payments.instruction import of_charge, of_request
from tests.wallet import charge, request


class LaterCharge(TollCharge):
    """What a later version may make of a charge: one more field, with a default."""

    lane: int = 0


class LaterRequest(PaymentRequest):
    """The same of a request."""

    loyalty: str | None = None


def test_a_field_that_is_added_with_a_default_leaves_older_digests_alone() -> None:
    asked, charged = request(), charge()
    again = LaterRequest.decode(asked.topic, asked.encode())
    charged_again = LaterCharge.decode(charged.topic, charged.encode())
    assert of_request(again).digest == of_request(asked).digest
    assert of_charge(charged_again).digest == of_charge(charged).digest


def test_any_other_body_has_another_digest() -> None:
    asked, charged = request(), charge()
    later = LaterRequest.decode(asked.topic, asked.encode())
    bodies = [
        asked,
        later.model_copy(update={"loyalty": "gold"}),
        *(asked.model_copy(update={"amount_minor": amount}) for amount in (0, 7)),
        asked.model_copy(update={"description": "else"}),
        asked.model_copy(update={"reason": "else"}),
    ]
    assert len({of_request(body).digest for body in bodies}) == len(bodies)
    other = charged.model_copy(update={"reason": "else"})
    assert of_charge(other).digest != of_charge(charged).digest
