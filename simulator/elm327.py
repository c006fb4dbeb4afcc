"""An ELM327 or STN adapter that is not here: what it answers to each line (pure).

It speaks as the chips do: a prompt after each answer, the last request again for a bare return,
STOPPED when it is interrupted. `sent` keeps every frame it put on the bus.
"""

from collections.abc import Sequence

from simulator.ecu import EXTENDED, Ecu

_REQUEST_NS = 200_000_000


class SimulatedElm:
    """One adapter on a bus with some controllers.

    Args:
        ecus: Who answers on the bus.
        chip: As it names itself to ATI.
        stn: As it names itself to STI; None: it has no ST commands.
        unknown: Commands it does not understand, as cheap copies do not.
    """

    def __init__(
        self,
        ecus: Sequence[Ecu] = (),
        *,
        chip: str = "ELM327 v1.5",
        stn: str | None = None,
        unknown: frozenset[str] = frozenset(),
    ) -> None:
        self.sent: list[tuple[int, bytes]] = []
        self.commands: list[str] = []
        self.is_monitoring = False
        self.volts = "12.6V"
        self._ecus = ecus
        self._chip = chip
        self._stn = stn
        self._unknown = unknown
        self._line = ""
        self._last = ""
        self._echo = True
        self._protocol = "0"
        self._header = ""
        self._priority = "18"
        self._now_ns = 0

    def feed(self, text: bytes) -> bytes:
        """Take what the host writes; what it is answered."""
        out = ""
        for char in text.decode("latin-1"):
            if self.is_monitoring:
                self.is_monitoring = False
                out += "STOPPED\r\r>"
            elif char == "\r":
                line, self._line = self._line or self._last, ""
                self._last = line
                out += (line + "\r" if self._echo else "") + self._answer(line)
            elif char not in " \n\0":
                self._line += char.upper()
        return out.encode("ascii")

    def hear(self, can_id: int, payload: bytes) -> bytes:
        """A frame on the bus that is not for it: said while it monitors, if of its kind."""
        is_29_bit = self._protocol in "79"
        if not self.is_monitoring or bool(can_id & EXTENDED) != is_29_bit:
            return b""
        return self._show(can_id, payload).encode("ascii")

    def _answer(self, line: str) -> str:
        self.commands.append(line)
        if line in self._unknown:
            return "?\r\r>"
        if line.startswith("AT"):
            return self._set(line[2:]) + "\r\r>"
        if line.startswith("ST"):
            return self._stn_answer(line)
        if line and all(char in "0123456789ABCDEF" for char in line) and len(line) % 2 == 0:
            return self._request(bytes.fromhex(line)) + "\r>"
        return "?\r\r>"

    def _set(self, command: str) -> str:
        if command == "Z":
            self._echo = True
            return f"\r\r{self._chip}"
        if command == "I":
            return self._chip
        if command == "RV":
            return self.volts
        if command in ("E0", "E1"):
            self._echo = command == "E1"
        elif command.startswith("SP"):
            self._protocol, self._header = command[2:], ""
        elif command.startswith("SH"):
            self._header = command[2:]
        elif command.startswith("CP"):
            self._priority = command[2:]
        return "OK"

    def _stn_answer(self, line: str) -> str:
        if self._stn is None:
            return "?\r\r>"
        if line == "STI":
            return f"{self._stn}\r\r>"
        if line == "STMA":
            self.is_monitoring = True
            return ""
        return "OK\r\r>"

    def _request(self, payload: bytes) -> str:
        """Put a frame on the bus, and say what comes back; flow controls are its own."""
        if self._protocol in "79":
            can_id = EXTENDED | int(self._priority + (self._header or "DB33F1"), 16)
        else:
            can_id = int(self._header or "7DF", 16)
        self._put(can_id, payload)
        heard = self._listen()
        for answer_id, answer in tuple(heard):
            if answer[0] >> 4 == 1:
                self._put(_physical(answer_id), b"\x30\0\0\0\0\0\0\0")
                heard += self._listen()
        return "".join(self._show(*frame) for frame in heard) or "NO DATA\r"

    def _put(self, can_id: int, payload: bytes) -> None:
        self.sent.append((can_id, payload))
        for ecu in self._ecus:
            ecu.feed(can_id, payload, self._now_ns)

    def _listen(self) -> list[tuple[int, bytes]]:
        self._now_ns += _REQUEST_NS
        return [frame for ecu in self._ecus for frame in ecu.take(self._now_ns)]

    def _show(self, can_id: int, payload: bytes) -> str:
        shown = f"{can_id & 0x1FFF_FFFF:08X}" if can_id & EXTENDED else f"{can_id:03X}"
        return f"{shown}{payload.hex().upper()}\r"


def _physical(answer_id: int) -> int:
    if answer_id & EXTENDED:
        return EXTENDED | 0x18DA00F1 | (answer_id & 0xFF) << 8
    return answer_id - 8
