"""Brokers that let nobody in: one refuses, one is mute, one does not even take the connection."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from internetcar.contract.broker_url import BrokerUrl

NOT_AUTHORIZED = b"\x20\x03\x00\x87\x00"
"""MQTT 5: CONNACK with that reason."""
MUTE = b""


@contextmanager
def bad_broker(answer: bytes | None) -> Iterator[BrokerUrl]:
    """Each wish to connect gets `answer`; `None`: its SYN is swallowed, as in a dead spot."""
    with ExitStack() as stack:
        ear = stack.enter_context(socket.socket())
        ear.bind(("127.0.0.1", 0))
        ear.listen(0 if answer is None else 8)
        port = ear.getsockname()[1]
        if answer is None:
            for _ in range(4):  # its queue is full of these
                waits = stack.enter_context(socket.socket())
                waits.setblocking(False)
                waits.connect_ex(("127.0.0.1", port))
        else:
            thread = threading.Thread(target=_answer, args=(ear, answer))
            thread.start()
            stack.callback(thread.join)
            stack.callback(ear.shutdown, socket.SHUT_RDWR)
        yield BrokerUrl(host="127.0.0.1", port=port, protocol="5")


def _answer(ear: socket.socket, answer: bytes) -> None:
    with ExitStack() as clients, suppress(OSError):  # the end of the test
        while True:
            client, _ = ear.accept()
            clients.callback(client.close)
            if answer:
                client.recv(2048)
                client.sendall(answer)
