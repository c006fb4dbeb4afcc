"""The conversation with an ELM327 or STN chip: text in, CAN frames and commands out (pure).

The chip answers each line with text and a prompt. Nothing that is said here reaches the CAN bus
but the frames given to `send`: the protocol is set, not searched for (a search transmits), and a
bare carriage return, which repeats the last request, is never sent.
"""

import re
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from internetcar.contract.message import InputError
from internetcar.socketcan import EXTENDED

SECOND_NS = 1_000_000_000
PROMPT_NS = 3 * SECOND_NS
"""So long the chip may think about a command; a reset takes a second, a request less."""
VOLTAGE_NS = 10 * SECOND_NS
"""How often it is asked for the connector's voltage, where that interrupts nothing."""
LISTEN_NS = 60 * SECOND_NS
"""So long it listens before it is asked for the voltage, which interrupts it; ..."""
DEAF_NS = 10 * SECOND_NS
"""... or before it listens for the other kind of ids, where it hears nothing."""
TRIES = 3
MAX_WAITING, MAX_LINE, MOST_LINES = 16, 256, 8

_PROTOCOLS = {500_000: ("6", "7"), 250_000: ("8", "9")}  # ATSP: with 11-bit ids, with 29-bit ids
_OPENING = (
    "ATZ",  # reset
    "ATE0",  # no echo
    "ATL0",  # no line feeds
    "ATS0",  # no spaces
    "ATH1",  # with ids
    "ATCAF0",  # whole frames, as they are
    "ATCFC1",  # it sends flow controls for what it asked itself: we would be too late
    "ATCSM1",  # it listens without acknowledging
    "ATAL",  # eight bytes of payload
    "ATST32",  # 200 ms for an answer
    "ATI",
    "STI",
)
_NEEDED = frozenset({"ATE0", "ATH1", "ATCAF0"})
_HEX = re.compile(r"[0-9A-F]+")
_VOLTAGE = re.compile(r"(\d{1,2}\.\d{1,2})V?")
_ERRORS = ("CAN ERROR", "BUS ERROR", "DATA ERROR", "RX ERROR", "FB ERROR", "BUS BUSY")
_RESETS = ("LV RESET", "ELM327", "ERR")
_SILENT = ("", "NO DATA", "STOPPED", "SEARCHING...", "OK", "UNABLE TO CONNECT", "ACT ALERT")


class ElmError(InputError):
    """The chip does not do what is needed; the text says what to do."""


class CanFrame(NamedTuple):
    """One frame on the bus."""

    can_id: int
    payload: bytes


class ElmTalk:
    """One chip's state: what it was told, what it is, what it says.

    Attributes:
        chip: How it names itself.
        is_stn: It has ST commands, so that it can listen to the bus.
        is_ready: The opening is over.
        errors: Bus errors it reported.
        lost: How often it could not keep up with what it heard.
        junk: Lines that are nothing.
        volts: At the connector; None while it was not said.
    """

    def __init__(self, *, may_send: bool, bitrate: int = 500_000) -> None:
        """Prepare.

        Args:
            may_send: Whether requests may go out; without, it only listens.
            bitrate: Of the CAN bus.

        Raises:
            ElmError: The chip knows no such bit rate.
        """
        if bitrate not in _PROTOCOLS:
            raise ElmError(f"an ELM327 knows 500000 and 250000 bit/s, not {bitrate}")
        self.chip = ""
        self.is_stn = False
        self.is_ready = False
        self.errors = self.lost = self.junk = 0
        self.volts: float | None = None
        self._may_send = may_send
        self._protocols = _PROTOCOLS[bitrate]
        self._to_say: deque[str] = deque(_OPENING)
        self._requests: deque[CanFrame] = deque()
        self._said: str | None = None
        self._answer: list[str] = []
        self._deadline_ns = 0
        self._tries = 0
        self._is_monitoring = False
        self._header: int | None = None
        self._protocol: str | None = None
        self._line = bytearray()
        self._next_volts_ns = 0
        self._deaf_ns = 0
        self._rest_until_ns = 0
        self._heard = 0
        self._listens_for_29_bit = False

    @property
    def description(self) -> str:
        """What the chip is and what it does here."""
        if not self.is_stn:
            return f"{self.chip}: answers requests, cannot listen to the bus"
        does = "listens, and answers requests" if self._may_send else "only listens"
        return f"{self.chip}: {does}"

    def send(self, can_id: int, payload: bytes) -> None:
        """Queue a request; a flow control is the chip's own business and is passed over.

        Raises:
            ElmError: It only listens, or too much waits.
        """
        if not self._may_send:
            raise ElmError("this adapter only listens: set transmit = true to let it send")
        if len(self._requests) >= MAX_WAITING:
            raise ElmError(f"{MAX_WAITING} requests wait for the adapter already")
        if payload and payload[0] >> 4 != 3:
            self._requests.append(CanFrame(can_id, payload))

    def take(self, now_ns: int) -> bytes:
        """What to write to the chip now.

        Raises:
            ElmError: It has not answered.
        """
        if self._said is None:
            return self._next(now_ns)
        if self._is_monitoring:
            ends_ns = self._next_volts_ns if self._heard else self._deaf_ns
            if self._requests or now_ns >= ends_ns:
                self._is_monitoring = False
                self._deadline_ns = now_ns + PROMPT_NS
                self._rest_until_ns = 0  # it listened until we stopped it: it may at once again
                return b" "  # any character stops it; a space does nothing if it has stopped
            return b""
        if now_ns >= self._deadline_ns:
            self._try_again(f"the adapter does not answer {self._said}")
            return self._say(self._to_say.popleft(), now_ns)
        return b""

    def feed(self, text: bytes) -> list[CanFrame]:
        """Take what the chip wrote; say which frames it heard.

        Raises:
            ElmError: It was reset, or cannot do what is needed.
        """
        frames: list[CanFrame] = []
        for byte in text:
            if byte in b"\r\n>":
                frames += self._end_line(self._line.decode("latin-1").strip(" \0"))
                self._line.clear()
                if byte == ord(">"):
                    self._end_answer()
            else:
                self._line.append(byte)
                del self._line[MAX_LINE:]
        return frames

    def _next(self, now_ns: int) -> bytes:
        if self._to_say:
            return self._say(self._to_say.popleft(), now_ns)
        if self._requests:
            return self._ask(now_ns)
        if now_ns >= self._next_volts_ns:
            self._next_volts_ns = now_ns + (LISTEN_NS if self.is_stn else VOLTAGE_NS)
            return self._say("ATRV", now_ns)
        return self._listen(now_ns) if self.is_stn else b""

    def _listen(self, now_ns: int) -> bytes:
        """Listen on; the other kind of ids after a time in which nothing was heard.

        A chip that stopped at once (no bus, or another fault) is left alone for a second.
        """
        if now_ns < self._rest_until_ns:
            return b""
        if not self._heard and 0 < self._deaf_ns <= now_ns:
            self._listens_for_29_bit = not self._listens_for_29_bit
        protocol = self._protocols[self._listens_for_29_bit]
        if protocol != self._protocol:
            self._protocol, self._header, self._deaf_ns = protocol, None, 0
            return self._say(f"ATSP{protocol}", now_ns)
        self._is_monitoring, self._heard = True, 0
        self._rest_until_ns = now_ns + SECOND_NS
        self._deaf_ns = now_ns + DEAF_NS
        return self._say("STMA", now_ns)

    def _ask(self, now_ns: int) -> bytes:
        """The next line on the way to the first request: its protocol, its id, then itself."""
        can_id, payload = self._requests[0]
        protocol = self._protocols[bool(can_id & EXTENDED)]
        if protocol != self._protocol:
            self._protocol, self._header = protocol, None
            return self._say(f"ATSP{protocol}", now_ns)
        if can_id != self._header:
            self._header = can_id
            if can_id & EXTENDED:
                self._to_say.append(f"ATSH{can_id & 0xFF_FFFF:06X}")
                return self._say(f"ATCP{can_id >> 24 & 0x1F:02X}", now_ns)
            return self._say(f"ATSH{can_id:03X}", now_ns)
        self._requests.popleft()
        return self._say(payload.hex().upper(), now_ns)

    def _say(self, command: str, now_ns: int) -> bytes:
        self._said, self._answer = command, []
        self._deadline_ns = now_ns + PROMPT_NS
        return command.encode("ascii") + b"\r"

    def _end_line(self, line: str) -> list[CanFrame]:
        if not line or line == self._said:  # an echo, before it is switched off
            return []
        self._answer = [*self._answer[-MOST_LINES:], line]
        if not self.is_ready or (self._said or "").startswith("AT"):
            return []
        upper = line.upper().replace(" ", "")
        if _HEX.fullmatch(upper) and (frame := _frame(upper)) is not None:
            self._heard += 1
            return [frame]
        self._report(line.upper())
        return []

    def _report(self, line: str) -> None:
        if any(error in line for error in _ERRORS):
            self.errors += 1
        elif "BUFFER FULL" in line or "OUT OF MEMORY" in line:
            self.lost += 1
        elif line.startswith(_RESETS):
            raise ElmError(f"the adapter was reset ({line[:40]}): its supply is poor or it is busy")
        elif line not in _SILENT:
            self.junk += 1

    def _end_answer(self) -> None:
        """A prompt: what was said is done."""
        said, answer = self._said, self._answer
        self._said, self._answer = None, []
        self._is_monitoring = False
        if said is None:
            return
        if self.is_ready:
            if said == "STMA" and answer == ["?"]:
                raise ElmError(f"{self.chip} does not know STMA: it cannot listen to the bus")
            if said == "ATRV" and answer and (found := _VOLTAGE.fullmatch(answer[-1])):
                self.volts = float(found[1])
            return
        self._open(said, answer)

    def _open(self, said: str, answer: Sequence[str]) -> None:
        is_understood = bool(answer) and answer[-1] != "?"
        is_done = is_understood if said == "ATZ" else said not in _NEEDED or "OK" in answer
        if not is_done:
            self._said = said
            self._try_again(f"the adapter does not understand {said}: is it an ELM327?")
            self._said = None
            return
        self._tries = 0
        if said == "ATI" and is_understood:
            self.chip = answer[-1][:40]
        elif said == "STI":
            self._identify(answer)

    def _identify(self, answer: Sequence[str]) -> None:
        self.is_stn = bool(answer) and answer[-1].startswith("STN")
        if self.is_stn:
            self.chip = answer[-1][:40]
            self._to_say.append("STCMM0")  # monitor without acknowledging
        elif not self._may_send:
            raise ElmError(
                f"{self.chip or 'this chip'} cannot listen to the bus, it only answers requests: "
                "set transmit = true to let it ask, or use an adapter with an STN chip"
            )
        self._protocol = self._protocols[0]
        self._to_say.append(f"ATSP{self._protocol}")
        self.is_ready = True

    def _try_again(self, problem: str) -> None:
        self._tries += 1
        if self._tries >= TRIES or self.is_ready or self._said is None:
            raise ElmError(problem)
        self._to_say.appendleft(self._said)


def _frame(text: str) -> CanFrame | None:
    """An id of three or eight digits, then whole bytes: the count tells which."""
    digits, flag = (3, 0) if len(text) % 2 else (8, EXTENDED)
    if not digits <= len(text) <= digits + 16:
        return None
    can_id = int(text[:digits], 16)
    if can_id > (0x1FFF_FFFF if flag else 0x7FF):
        return None
    return CanFrame(can_id | flag, bytes.fromhex(text[digits:]))
