"""Where a broker is and who we are to it: one URL, whose password never reaches a log."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from internetcar.contract.message import InputError

Protocol = Literal["5", "3.1.1"]

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_OPTIONS = ("ca", "cert", "key", "protocol")
_FORM = "mqtt://USER:PASSWORD@HOST:PORT or mqtts://…"
_ESCAPES = "a '/', '#' or '?' in a password is written %2F, %23 or %3F"


class BrokerUrlError(InputError):
    """The text is not the URL of a broker; says what is wrong and never the password."""


@dataclass(frozen=True)
class BrokerUrl:
    """A broker's address and our credentials there; written without the password."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca: Path | None = None
    """PEM file of the authorities to trust instead of the system's."""
    cert: Path | None = None
    """PEM file of our own certificate."""
    key: Path | None = None
    protocol: Protocol | None = None
    """The MQTT version the broker is known to speak; `None` finds out."""

    def __str__(self) -> str:
        return self._text("***")

    @property
    def secret(self) -> str:
        """The whole URL with its password, for a file or pipe only its owner reads."""
        return self._text(self.password) + self._options()

    @property
    def address(self) -> str:
        """The URL with its password and without our options, as other MQTT tools take it."""
        return self._text(self.password)

    def tls_context(self) -> ssl.SSLContext:
        """What TLS needs to trust the broker and to show our certificate.

        Raises:
            BrokerUrlError: A file of the URL holds no certificate or key.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.cert is not None:
                context.load_cert_chain(self.cert, self.key)
        except (OSError, ssl.SSLError) as error:
            raise BrokerUrlError(f"{self.ca or ''} {self.cert or ''}: {error}".strip()) from error
        return context

    def _text(self, password: str | None) -> str:
        user = "" if self.username is None else quote(self.username, safe="")
        if self.password is not None and password is not None:
            user += ":" + (password if password == "***" else quote(password, safe=""))
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "mqtts" if self.tls else "mqtt"
        return f"{scheme}://{user}{'@' if user else ''}{host}:{self.port}"

    def _options(self) -> str:
        given = [(name, getattr(self, name)) for name in _OPTIONS if getattr(self, name)]
        return "?" * bool(given) + "&".join(f"{name}={quote(str(text))}" for name, text in given)


def parse_broker_url(text: str) -> BrokerUrl:
    """Read `mqtt://user:password@host:port` or `mqtts://…?ca=FILE&cert=FILE&key=FILE`.

    Special characters in user name and password are percent-encoded, as in every URL.

    Raises:
        BrokerUrlError: It is not such a URL; the text names the part that is wrong.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        # Without the cause: where a password holds a '#', urllib's text quotes the rest of it.
        raise BrokerUrlError(
            f"the broker's URL has a wrong host or port; write {_FORM}; {_ESCAPES}"
        ) from None
    if parts.scheme not in _PORTS:
        raise BrokerUrlError(
            f"the broker's URL begins with {parts.scheme + ':' if parts.scheme else 'no scheme'}, "
            f"not with mqtt:// or mqtts://; write {_FORM}"
        )
    if not parts.hostname or port == 0:
        raise BrokerUrlError(f"the broker's URL names no host or port; write {_FORM}")
    if parts.path not in ("", "/") or parts.fragment:
        raise BrokerUrlError(f"the broker's URL goes on after host and port; {_ESCAPES}")
    if parts.password and not parts.username:
        raise BrokerUrlError(f"the broker's URL has a password without a user name; write {_FORM}")
    options = _parse_options(parts.query)
    tls = parts.scheme == "mqtts"
    if not tls and options.keys() & {"ca", "cert", "key"}:
        raise BrokerUrlError("ca, cert and key need TLS: write mqtts:// instead of mqtt://")
    return BrokerUrl(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        username=unquote(parts.username or "") or None,
        password=unquote(parts.password or "") or None,
        tls=tls,
        ca=_file(options, "ca"),
        cert=_file(options, "cert"),
        key=_file(options, "key"),
        protocol=_protocol(options.get("protocol")),
    )


def _parse_options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name in options:
        if name not in _OPTIONS:
            raise BrokerUrlError(
                f"the broker's URL has an unknown option {name[:40]!r}; "
                f"known: {', '.join(_OPTIONS)}"
            )
    if "key" in options and "cert" not in options:
        raise BrokerUrlError("the broker's URL has a key without its cert=FILE")
    return options


def _file(options: dict[str, str], name: str) -> Path | None:
    if name not in options:
        return None
    path = Path(options[name]).expanduser()
    if not path.is_file():
        raise BrokerUrlError(f"the broker's URL says {name}={path}, and there is no such file")
    return path


def _protocol(text: str | None) -> Protocol | None:
    match text:
        case None | "5" | "3.1.1":
            return text
        case _:
            raise BrokerUrlError(f"protocol={text[:20]!r} is neither 5 nor 3.1.1")
