"""Whether the broker really lets us say something: the own message heard back."""

import threading

from internetcar.contract.link import Link
from internetcar.contract.message import Message
from internetcar.contract.subscriptions import Received

_TRIES = 4


def is_heard_back(link: Link, message: Message, timeout_s: float) -> bool:
    """Publish a message on a link that is started, and wait to hear it.

    A broker that forbids a topic says so only in MQTT 5, and not always: what proves the right to
    publish is the message itself. Choose one that does no harm: it is said up to four times.
    """
    payload = message.encode()
    heard = threading.Event()

    def listen(received: Received) -> None:
        if received.payload == payload and not received.retained:
            heard.set()

    link.on_received(message.topic, listen, qos=message.QOS)
    for _ in range(_TRIES):  # the embedded broker may take a message before a subscription
        link.publish(message)
        if heard.wait(timeout_s / _TRIES):
            return True
    return False
