"""The contexts that come with the program, and the keys that are trusted for them."""

from collections.abc import Iterable
from pathlib import Path

from services.tolls.tariff.context import MOST_BYTES, Context, ContextError, load_context
from services.tolls.tariff.signing import load_trusted, verify

CONTEXTS = Path(__file__).parent.parent / "contexts"
_TRUSTED = CONTEXTS / "trusted.json"


def names() -> tuple[str, ...]:
    """What the shipped contexts are called."""
    return tuple(sorted(path.stem for path in CONTEXTS.glob("*.json") if path != _TRUSTED))


def trusted_keys() -> dict[str, str]:
    """The public keys the shipped contexts are signed with."""
    return load_trusted(_TRUSTED.read_bytes(), _TRUSTED.name)


def find_context(name: str) -> Context:
    """A shipped context by its name, or one from a file; whether it is signed is not asked.

    Raises:
        ContextError: There is none, or the file is none.
    """
    shipped = CONTEXTS / f"{name}.json"
    path = shipped if name in names() else Path(name)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ContextError(
            f"{name}: no such toll context; shipped are {', '.join(names())}, or name a file"
        ) from error
    return load_context(content, path.name)


def verified_contexts(wanted: Iterable[str], trusted: dict[str, str]) -> tuple[Context, ...]:
    """Contexts by name or file, each signed by a key that is trusted.

    Raises:
        ContextError: One is none, or is not signed, or by nobody trusted.
    """
    found = tuple(find_context(name) for name in wanted)
    for context in found:
        verify(context, trusted)
    return found
