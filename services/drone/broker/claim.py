"""Before anything is sent to a drone: whether another service flies it already."""

import threading

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.drone import DroneOsd, DronePresence
from internetcar.contract.link import Link
from internetcar.contract.message import InputError
from internetcar.contract.retry import BrokerUnreachableError
from internetcar.contract.subscriptions import Received
from services.drone.broker.telling import Identity
from services.drone.broker.twins import words

CONNECT_S = 1.0
"""Not longer: what is in the air waits for our heartbeat. Without a broker nobody can be asked."""
RETAINED_S = 0.4
LIVE_S = 2.0
"""Who flies says twice a second where: four times nothing, and its presence is a dead one's."""


class Claim:
    """Listens whether somebody else speaks for the drone, and says nothing.

    Args:
        broker: Where it would be heard.
        own: The drone.
    """

    def __init__(self, broker: BrokerUrl, own: Identity) -> None:
        self._own = own
        self._since = ""
        self._is_said = threading.Event()
        self._lives = threading.Event()
        levels = {"vehicle_id": own.vehicle_id, "drone_id": own.drone_id}
        self._link = Link(broker, f"drone-claim-{own.instance}")
        self._link.on_received(
            DronePresence.filter(**levels), self._on_presence, qos=DronePresence.QOS
        )
        self._link.on_received(DroneOsd.filter(**levels), self._on_osd, qos=DroneOsd.QOS)

    def look(self) -> None:
        """Come back where nobody else flies it; only who finds a presence waits for more.

        Raises:
            InputError: Another service flies it.
            BrokerRefusedError: The broker does not let us in.
        """
        try:
            self._link.start(wait_s=CONNECT_S)
        except BrokerUnreachableError:
            return
        try:
            is_taken = self._is_said.wait(RETAINED_S) and self._lives.wait(LIVE_S)
        finally:
            self._link.stop()
        if is_taken:
            raise InputError(words(self._own, self._since))

    def _on_presence(self, received: Received) -> None:
        heard = DronePresence.decode(received.topic, received.payload)
        if heard.online:
            self._since = f" since {heard.since:%Y-%m-%d %H:%M:%S} UTC"
            self._is_said.set()
            if not received.retained:
                self._lives.set()

    def _on_osd(self, received: Received) -> None:
        if not received.retained:
            self._lives.set()
