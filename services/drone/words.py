"""Texts of strangers (pure): the autopilot's, a zone file's, a person's."""


def printable(text: str) -> str:
    """The text as one line: what would steer a terminal or begin a line becomes a blank."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else " " for sign in text)
