"""README.md taken apart: its blocks, its commands, and what stands in backticks."""

import re
import shlex
from pathlib import Path

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)


def shell_lines() -> list[list[str]]:
    """Every command of the README's shell blocks, as words, without leading assignments."""
    lines = (
        shlex.split(line, comments=True) for block in blocks("sh") for line in block.split("\n")
    )
    found = []
    for words in lines:
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words:
            found.append(words)
    return found


def spans() -> list[str]:
    """What stands in backticks within a line."""
    prose = re.sub(r"^ *```.*?^ *```$", "", README, flags=re.MULTILINE | re.DOTALL)
    return [span.replace("\\|", "|") for span in re.findall(r"`([^`\n]+)`", prose)]
