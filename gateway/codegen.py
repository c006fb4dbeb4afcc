"""Turns what a database says about a message into the source of a function that decodes it.

The source holds integers, finite floats and indices only, never a name: a database is hostile.
The generated function leaves at once when the payload is the previous one; else it looks only at
signals whose bits changed. Signals that are in a frame under the same condition (none, or the same
values of the same multiplexer) form a group, which keeps the bits it saw last.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cantools.database.can import Signal

from gateway.layout import Field, Group, field_mask, groups_of, multiplexers_of, union

MAX_LEAF = 3
"""Signals that are tested one by one; more are tested together first."""
MAX_NUMBERS = 8
"""Numbers that are tested one by one."""
MAX_FLAG_BITS = 3
"""Length up to which a signal is taken for a flag, which hardly ever changes."""
FAN_OUT = 4
"""Parts into which a run of signals is divided."""
_FLOATS = {16: "half", 32: "single", 64: "double"}


@dataclass(frozen=True)
class Program:
    """The decoder of one message.

    Attributes:
        source: defines `bind`, which makes the decoder.
        groups: as the source numbers them.
    """

    source: str
    groups: tuple[Group, ...]


def generate(
    signals: Sequence[Signal], first_index: int, wanted: Iterable[int] | None = None
) -> Program:
    """The decoder of one message.

    Args:
        signals: all of the message.
        first_index: index of the first; the others count on from there.
        wanted: indices to decode; all when `None`.
    """
    fields = []
    keep = None if wanted is None else frozenset(wanted)
    for index, signal in enumerate(signals, first_index):
        if keep is None or index in keep:
            mask = field_mask(signal)
            fields.append(Field(index, signal, mask, (mask.bit_length() + 7) // 8))
    groups = groups_of(fields)
    return Program(_Writer(signals, groups).write(), tuple(groups))


def raw_expression(signal: Signal) -> str:
    """The expression of the raw number, from `new` (little-endian) or `payload`."""
    mask = field_mask(signal)
    low = (mask & -mask).bit_length() - 1
    ones = (1 << signal.length) - 1
    if signal.byte_order == "little_endian" or mask >> (low // 8 + 1) * 8 == 0:
        return f"new & {ones}" if low == 0 else f"new >> {low} & {ones}"
    first = signal.start // 8
    begin = 8 * first + 7 - signal.start % 8
    last = (begin + signal.length + 7) // 8
    shift = 8 * last - begin - signal.length
    if last - first == 2:
        number = f"payload[{first}] << 8 | payload[{first + 1}]"
    else:
        number = f'from_bytes(payload[{first}:{last}], "big")'
    whole = signal.length + shift == 8 * (last - first)
    number = f"({number}) >> {shift}" if shift else number
    return number if whole else f"({number}) & {ones}"


def value_expression(signal: Signal) -> str:
    """The expression of the physical number, computed as cantools does."""
    conversion = signal.conversion
    raw = raw_expression(signal)
    if conversion.is_float:
        raw = f"{_FLOATS[signal.length]}({raw})"
    elif signal.is_signed:
        sign = 1 << (signal.length - 1)
        raw = f"(({raw}) ^ {sign}) - {sign}"
    scale, offset = conversion.scale, conversion.offset
    if scale == 1 and offset == 0:
        return raw
    if not conversion.is_float and float(scale).is_integer() and float(offset).is_integer():
        scale, offset = int(scale), int(offset)
        scaled = f"({raw})" if scale == 1 else f"({raw}) * {scale!r}"
        return scaled if offset == 0 else f"{scaled} + {offset!r}"
    if not conversion.is_float and scale > 0 and offset == 0:
        return f"({raw}) * {scale!r}"
    return f"({raw}) * {scale!r} + {offset!r}"


def _ranges(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as runs without a gap."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _is_one_of(variable: str, numbers: Sequence[int]) -> str:
    """The condition that a variable has one of the values."""
    runs = _ranges(numbers)
    if len(runs) > FAN_OUT:
        return f"{variable} in {{{', '.join(map(str, numbers))}}}"
    tests = [
        f"{variable} == {low}" if low == high else f"{low} <= {variable} <= {high}"
        for low, high in runs
    ]
    return " or ".join(tests)


class _Writer:
    """The source of one decoder under construction."""

    def __init__(self, signals: Sequence[Signal], groups: Sequence[Group]) -> None:
        self._signals = signals
        self._groups = groups
        self._multiplexers = multiplexers_of(signals, groups)
        self._lines: list[str] = []

    def write(self) -> str:
        """The whole source."""
        self._add(
            0,
            "def bind(state, from_bytes, merge, remember, nowhere, half, single, double, unknown):",
        )
        if self._is_simple():
            self._add(1, "def decode(payload):")
            self._add_simple_body()
        else:
            for number in range(len(self._groups)):
                self._add(1, f"word{number}, ready{number} = 0, -1")
            self._add(1, "def decode(payload):")
            self._add_body()
        self._add(1, "return decode")
        return "\n".join(self._lines) + "\n"

    def _is_simple(self) -> bool:
        """Whether one word says all there is to know of the frames so far."""
        return len(self._groups) == 1 and not self._multiplexers

    def _add(self, depth: int, line: str) -> None:
        self._lines.append("    " * depth + line)

    def _add_simple_body(self) -> None:
        self._add(2, "state.previous = payload")
        self._add(2, 'new = from_bytes(payload, "little")')
        self._add(2, "if len(payload) == state.ready:")
        self._add(3, "diff = new ^ state.word")
        self._add(3, "state.word = new")
        self._add(3, "changes = []")
        if len(self._groups[0].fields) > MAX_LEAF:
            self._add(3, "if state.frames > state.pause:")
            self._add(4, "remember(payload, new, changes)")
        self._add(2, "else:")
        self._add(3, "changes = []")
        self._add(3, "state.steps = nowhere")
        arguments = "0, new, state.word, len(payload)"
        self._add(3, f"diff, state.word, state.ready = merge({arguments})")
        self._add_fields(2, self._groups[0].fields)
        self._add(2, "return changes")

    def _add_body(self) -> None:
        for number in range(len(self._groups)):
            self._add(2, f"nonlocal word{number}, ready{number}")
        self._add(2, "state.previous = payload")
        self._add(2, "size = len(payload)")
        self._add(2, 'new = from_bytes(payload, "little")')
        self._add(2, "changes = []")
        for number, group in enumerate(self._groups):
            if group.multiplexer is None:
                self._add_group(2, number)
        for number in range(len(self._multiplexers)):
            self._add_selector(number)
            self._add_branches(number)
        self._add(2, "return changes")

    def _add_selector(self, number: int) -> None:
        multiplexer = self._multiplexers[number]
        end = (field_mask(multiplexer).bit_length() + 7) // 8
        condition = f"size >= {end}"
        if multiplexer.multiplexer_signal is not None:
            names = [signal.name for signal in self._multiplexers]
            parent = f"selector{names.index(multiplexer.multiplexer_signal)}"
            ids = sorted(multiplexer.multiplexer_ids or ())
            condition += f" and ({_is_one_of(parent, ids)})" if ids else " and False"
        self._add(2, f"selector{number} = {value_expression(multiplexer)} if {condition} else -1")
        known = {-1, *(multiplexer.conversion.choices or ())}
        for signal in self._signals:
            if signal.multiplexer_signal == multiplexer.name:
                known.update(signal.multiplexer_ids or ())
        self._add(2, f"if not ({_is_one_of(f'selector{number}', sorted(known))}):")
        self._add(3, "unknown()")

    def _add_branches(self, multiplexer: int) -> None:
        variable = f"selector{multiplexer}"
        name = self._multiplexers[multiplexer].name
        single: dict[int, list[int]] = {}
        for number, group in enumerate(self._groups):
            if group.multiplexer != name:
                continue
            if len(group.selectors) == 1:
                single.setdefault(group.selectors[0], []).append(number)
            elif group.selectors:
                self._add(2, f"if {_is_one_of(variable, group.selectors)}:")
                self._add_group(3, number)
        self._add_search(2, variable, sorted(single.items()))

    def _add_search(
        self, depth: int, variable: str, branches: Sequence[tuple[int, list[int]]]
    ) -> None:
        """A binary search for the branch of the selector's value."""
        if len(branches) > FAN_OUT:
            middle = len(branches) // 2
            self._add(depth, f"if {variable} < {branches[middle][0]}:")
            self._add_search(depth + 1, variable, branches[:middle])
            self._add(depth, "else:")
            self._add_search(depth + 1, variable, branches[middle:])
            return
        for position, (selector, numbers) in enumerate(branches):
            self._add(depth, f"{'elif' if position else 'if'} {variable} == {selector}:")
            for number in numbers:
                self._add_group(depth + 1, number)

    def _add_group(self, depth: int, number: int) -> None:
        self._add(depth, f"if size == ready{number}:")
        self._add(depth + 1, f"diff = new ^ word{number}")
        self._add(depth + 1, f"word{number} = new")
        self._add(depth, "else:")
        outcome = f"diff, word{number}, ready{number}"
        self._add(depth + 1, f"{outcome} = merge({number}, new, word{number}, size)")
        self._add_fields(depth, self._groups[number].fields)

    def _add_fields(self, depth: int, fields: Sequence[Field]) -> None:
        """Reports the fields whose bits are in `diff`.

        Numbers change often and are tested one by one; flags hardly ever, and are tested together.
        """
        numbers = [field for field in fields if field.signal.length > MAX_FLAG_BITS]
        if len(numbers) > MAX_NUMBERS:
            self._add_some(depth, fields)
            return
        for field in numbers:
            self._add_field(depth, field)
        self._add_some(depth, [field for field in fields if field not in numbers])

    def _add_some(self, depth: int, fields: Sequence[Field]) -> None:
        if len(fields) <= MAX_LEAF:
            for field in fields:
                self._add_field(depth, field)
            return
        part = max(MAX_LEAF, -(-len(fields) // FAN_OUT))
        for begin in range(0, len(fields), part):
            some = fields[begin : begin + part]
            if len(some) > 1:
                self._add(depth, f"if diff & {union(some)}:")
            self._add_some(depth + (len(some) > 1), some)

    def _add_field(self, depth: int, field: Field) -> None:
        self._add(depth, f"if diff & {field.mask}:")
        self._add(depth + 1, f"changes.append(({field.index}, {value_expression(field.signal)}))")
