"""Shows a vehicle while it is heard: a live view in a terminal, or plain lines."""

import logging
import shlex
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.commands import CommandStatus
from internetcar.contract.drone import DroneEvent, DroneState
from internetcar.contract.home_assistant import DeviceAnnouncement, device_id_of
from internetcar.contract.link import Link
from internetcar.contract.money import format_minor
from internetcar.contract.payments import PaymentResult, WalletBalance
from internetcar.contract.presence import Health, Presence
from internetcar.contract.recommendations import RecommendationAnswer, RecommendationOffer
from internetcar.contract.signals import Catalog, Signal
from internetcar.contract.subscriptions import Received
from internetcar.contract.tolls import TollPassage
from internetcar.contract.trips import TripEnded, TripStarted
from internetcar.launcher.recommend_words import SuggestionLines, may_answer
from internetcar.launcher.tables import printable
from internetcar.launcher.terminal import PatientOutput
from internetcar.launcher.view import VehicleView, render
from internetcar.launcher.view_words import balance_line, command_line, passage_line

FRAME_S = 0.25
"""Between two pictures of the live view."""
PLAIN_S = 1.0
"""Plain lines come in bursts so far apart: what changed since the last."""


class Show:
    """A context manager: connects, listens, and shows at each `refresh`.

    Args:
        broker: Where to listen.
        vehicle_id: Whom.
        is_plain: Lines instead of the live view; the first is `broker URL`.
        announced_with: Home Assistant's discovery prefix: say what is announced to it.
        account: Whose wallet to show.
        since: What trips brought before this is not news.
    """

    def __init__(
        self,
        broker: BrokerUrl,
        vehicle_id: str,
        *,
        is_plain: bool,
        announced_with: str = "",
        account: str = "",
        since: datetime | None = None,
    ) -> None:
        self._since = since
        self._told = ""
        self._broker = broker
        self._is_plain = is_plain
        self._view = VehicleView(vehicle_id)
        self._subscribe = subscribe_command(broker, vehicle_id)
        self._output = PatientOutput(sys.stdout)
        self._console = Console(file=self._output)  # type: ignore[arg-type] # it is a text stream
        self._changed: set[str] = set()
        self._next_s = 0.0
        self._stack = ExitStack()
        self._live: Live | None = None
        self._link = Link(broker, f"view-{vehicle_id}-{time.monotonic_ns():x}"[:60])
        self._link.on(Signal, self._on_signal, vehicle_id=vehicle_id)
        self._link.on(Catalog, self._view.on_catalog, vehicle_id=vehicle_id)
        self._link.on(Presence, self._on_presence, vehicle_id=vehicle_id)
        self._link.on(CommandStatus, self._on_command, vehicle_id=vehicle_id)
        self._link.on(Health, self._view.on_health, vehicle_id=vehicle_id)
        self._link.on(TollPassage, self._on_passage, vehicle_id=vehicle_id)
        self._link.on(TripStarted, self._on_trip, vehicle_id=vehicle_id)
        self._link.on(TripEnded, self._on_trip, vehicle_id=vehicle_id)
        for cls in SuggestionLines.TOPICS.values():
            topic = cls.filter(vehicle_id=vehicle_id)
            self._link.on_received(topic, self._on_suggested, qos=1)
        self._link.on(RecommendationOffer, self._on_offer, vehicle_id=vehicle_id)
        if may_answer(broker.username):
            self._link.on(
                RecommendationAnswer, self._on_answer,
                requester=broker.username or "", vehicle_id=vehicle_id,
            )  # fmt: skip
        self._link.on(DroneState, self._on_drone_state, vehicle_id=vehicle_id)
        self._link.on(DroneEvent, self._on_drone_event, vehicle_id=vehicle_id)
        if account:
            self._link.on(WalletBalance, self._on_balance, account=account)
            self._link.on(PaymentResult, self._on_payment, vehicle_id=vehicle_id)
        self._counted = ""
        if announced_with:
            self._link.on_received(
                DeviceAnnouncement.filter(
                    prefix=announced_with, device_id=device_id_of(vehicle_id)
                ),
                self._on_announced,
                qos=1,
            )

    def __enter__(self) -> Self:
        if self._is_plain:
            self._output.write(f"broker {self._broker.address}\n")
        else:
            logging.disable(logging.CRITICAL)  # lines would tear the picture
            self._live = Live(console=self._console, screen=True, auto_refresh=False)
            self._stack.enter_context(self._live)
        self._link.start()
        self._stack.callback(self._link.stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        self._output.finish()

    def refresh(self) -> None:
        """Show what was heard, if it is time."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + (PLAIN_S if self._is_plain else FRAME_S)
        now = datetime.now(UTC)
        if self._live is None:
            self._print_changes(now)
            return
        size = self._console.size
        subscribe = to_paste(self._subscribe, size.width)
        picture = render(self._view, now, size.height, str(self._broker), subscribe, size.width)
        self._live.update(picture, refresh=True)

    @property
    def is_silent(self) -> bool:
        """Whether nothing has been heard of the vehicle yet."""
        return self._view.presence is None and not self._view.signals

    def notify(self, notice: str) -> None:
        """Say something a person should know."""
        self._drop_told()
        self._view.notices.append(notice)
        if self._is_plain:
            sys.stderr.write(f"{notice}\n")

    def tell(self, line: str) -> None:
        """Say how far something is; in the live view in the place of what was told before."""
        self._drop_told()
        self._told = line
        self._view.notices.append(line)
        self._write([line])

    def _drop_told(self) -> None:
        notices = self._view.notices
        if notices and notices[-1] == self._told:
            notices.pop()

    def recap(self) -> None:
        """Say what the past has left to say."""
        self._write(self._view.suggestions.lines)

    def _is_past(self, at: datetime) -> bool:
        return self._since is not None and at < self._since

    def _print_changes(self, now: datetime) -> None:
        changed, self._changed = self._changed, set()
        for path in sorted(changed):
            self._output.write(self._view.line(path, now) + "\n")

    def _on_signal(self, signal: Signal) -> None:
        self._view.on_signal(signal)
        self._changed.add(signal.path)

    def _on_command(self, status: CommandStatus) -> None:
        self._view.on_command(status)
        if self._is_plain:
            self._output.write(command_line(status) + "\n")

    def _on_passage(self, passage: TollPassage) -> None:
        if self._view.on_passage(passage) and self._is_plain:
            self._output.write(passage_line(passage) + "\n")

    def _on_trip(self, trip: TripStarted | TripEnded) -> None:
        if self._is_past(trip.ended_at if isinstance(trip, TripEnded) else trip.started_at):
            return
        if isinstance(trip, TripEnded):
            self._view.suggestions.end()
        line = self._view.trips.on(trip)
        if line and self._is_plain:
            self._output.write(line + "\n")

    def _on_suggested(self, received: Received) -> None:
        self._write(self._view.suggestions.on_received(received, self._since))

    def _on_offer(self, offer: RecommendationOffer) -> None:
        if not self._is_past(offer.at):
            self._write(self._view.suggestions.on_offer(offer))

    def _on_answer(self, answer: RecommendationAnswer) -> None:
        lines = self._view.suggestions.on_answer(answer)
        self._write(lines)
        if not self._is_plain:
            self._view.notices.extend(lines)

    def _write(self, lines: Iterable[str]) -> None:
        if self._is_plain:
            self._output.write("".join(f"{line}\n" for line in lines))

    def _on_balance(self, balance: WalletBalance) -> None:
        if self._view.on_balance(balance) and self._is_plain:
            self._output.write(balance_line(balance) + "\n")

    def _on_drone_state(self, state: DroneState) -> None:
        line = self._view.on_drone_state(state)
        if line and self._is_plain:
            self._output.write(line + "\n")

    def _on_drone_event(self, event: DroneEvent) -> None:
        line = self._view.on_drone_event(event)
        if line and self._is_plain:
            self._output.write(line + "\n")

    def _on_payment(self, result: PaymentResult) -> None:
        """What the wallet does not pay must not look paid."""
        if result.state == "refused":
            amount = format_minor(result.amount_minor, result.currency)
            self.notify(printable(f"not paid: {amount}, {result.detail or result.reason}"))

    def _on_presence(self, presence: Presence) -> None:
        before = self._view.presence
        self._view.on_presence(presence)
        if self._is_plain and (before is None or before.online != presence.online):
            word = "online" if presence.online else "offline"
            self._output.write(f"{presence.vehicle_id} is {word} ({presence.origin})\n")

    def _on_announced(self, received: Received) -> None:
        """Say how much Home Assistant is told; what the broker remembers is of an earlier run."""
        if received.retained or not received.payload:
            return
        announced = DeviceAnnouncement.decode(received.topic, received.payload)
        counted = (
            f"announced {announced.entities} entities to Home Assistant"
            f" ({announced.enabled} enabled)"
        )
        if counted == self._counted:
            return
        self._counted = counted
        if self._is_plain:
            self._output.write(counted + "\n")
        else:
            self._view.notices.append(counted)


def subscribe_command(broker: BrokerUrl, vehicle_id: str) -> list[str]:
    """A `mosquitto_sub` command, quoted for a shell, in the parts it may be broken into."""
    parts = [f"mosquitto_sub -h {shlex.quote(broker.host)} -p {broker.port}"]
    if broker.cert:
        parts.append(f"--cert {shlex.quote(str(broker.cert))}")
        parts += [f"--key {shlex.quote(str(broker.key))}"] if broker.key else []
    elif broker.username:
        user, password = shlex.quote(broker.username), shlex.quote(broker.password or "")
        parts += [f"-u {user}", f"-P {password}"]
    if broker.tls:
        parts.append(
            f"--cafile {shlex.quote(str(broker.ca))}" if broker.ca else "--tls-use-os-certs"
        )
    parts.append(f"-t {shlex.quote(f'v1/vehicle/{vehicle_id}/signal/#')} -v")
    return parts


def to_paste(parts: list[str], width: int) -> str:
    """A command on as many lines of so many columns as it needs.

    A backslash stands in the last column, where no space follows it; should a terminal join the
    lines, it stands before an option's dash, which means the same with it.
    """
    lines = [parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + len(part) + 3 > width:
            lines[-1] = f"{lines[-1] + ' ':{width - 1}}\\"
            lines.append(part)
        else:
            lines[-1] += f" {part}"
    return "\n".join(lines)
