"""A way to the autopilot that cannot be."""

from internetcar.contract.message import InputError


class TransportError(InputError):
    """A URL that names no transport, or one that cannot be opened."""
