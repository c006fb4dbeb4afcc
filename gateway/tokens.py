"""Reading a text token by token, for the parsers of formulas and conditions (pure)."""

import re
from abc import ABC, abstractmethod


class Tokens(ABC):
    """A text and the token at which its parser stands; `_kind` is empty at the end."""

    def __init__(self, text: str, pattern: re.Pattern[str], allowed: str) -> None:
        """Stand at the first token.

        Args:
            text: What is read.
            pattern: One token, white space before it included; its named groups are the kinds.
            allowed: What a token may be, for who wrote something else.
        """
        self._text = text
        self._pattern = pattern
        self._allowed = allowed
        self._end = 0
        self._kind = self._token = ""
        self._advance()

    @abstractmethod
    def _unexpected(self, wanted: str) -> ValueError:
        """The error that something else than `wanted` stands here."""

    def _advance(self) -> None:
        match = self._pattern.match(self._text, self._end)
        self._kind = self._token = ""
        if match is None:
            if self._text[self._end :].strip():
                raise self._unexpected(self._allowed)
            return
        self._end = match.end()
        self._kind = match.lastgroup or ""
        self._token = match[self._kind]
