"""What could not be read of a file: all counted, the first few named (pure)."""

_NAMED = 5


class Complaints:
    """Counts what is wrong with a file, line by line."""

    def __init__(self) -> None:
        self.count = 0
        self.named: list[str] = []

    def add(self, line: int, words: str) -> None:
        """A line is not what it should be."""
        self.count += 1
        if len(self.named) < _NAMED:
            shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in words)
            self.named.append(f"line {line}: {shown[:160]}")
