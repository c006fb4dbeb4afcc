"""What a live view says in a line: a command, a toll passage, what a wallet has."""

from internetcar.contract.commands import CommandStatus
from internetcar.contract.money import format_minor
from internetcar.contract.payments import WalletBalance
from internetcar.contract.tolls import TollPassage
from internetcar.launcher.tables import plain, printable


def command_line(status: CommandStatus, width: int = 0) -> str:
    """One command as one line: who wanted what, and what became of it.

    Of more than `width` columns (0: of any) the beginning of the path is left out.
    """
    outcome = ": ".join(part for part in (status.state, status.reason) if part)
    begins, ends = f"{status.requester} asked ", f" = {plain(status.value)}  {outcome}"
    path, room = status.path, width - len(begins) - len(ends)
    if 0 < room < len(path):
        path = f"…{path[1 - room :]}"
    return printable(f"{begins}{path}{ends}")


def passage_line(passage: TollPassage) -> str:
    """One toll passage as one line: where, when, what it costs, and by which rule."""
    return f"{passed(passage)}  ({rules(passage)})"


def passed(passage: TollPassage) -> str:
    """Where it was passed, when, and what it costs."""
    crossing = passage.crossing
    outcome = format_minor(passage.fee_minor, passage.currency)
    if passage.state != "proven":
        outcome = f"{passage.state}, {outcome}"
    return printable(
        f"toll {crossing.gate} = {outcome}  {crossing.crossed_at:%H:%M:%S} UTC, {crossing.label}"
    )


def rules(passage: TollPassage) -> str:
    """By which rule it costs that."""
    return printable("; ".join(passage.words))


def balance_line(balance: WalletBalance) -> str:
    """What a wallet has, as one line."""
    parts = [
        format_minor(each.available_minor, currency)
        + (f" and {format_minor(each.held_minor, currency)} held" if each.held_minor else "")
        for currency, each in sorted(balance.balances.items())
    ]
    return printable(f"wallet {balance.account} = {', '.join(parts) or 'nothing yet'}")
