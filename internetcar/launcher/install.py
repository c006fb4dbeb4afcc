"""`car install`: the gateway as a systemd service, and its CAN interface brought up at boot."""

import re
import shutil
import stat
import sys
from pathlib import Path
from typing import Annotated

import typer

from internetcar.contract.message import InputError

app = typer.Typer()

_INTERFACE = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,15}")

UNIT = """\
[Unit]
Description=Internet car gateway: CAN signals on MQTT
Documentation=man:systemd.service(5)
Wants=network-online.target
After=network-online.target mosquitto.service

[Service]
Type=exec
ExecStart={car} gateway --config {config}
Restart=always
RestartSec=2
DynamicUser=yes
SupplementaryGroups=dialout
StateDirectory=internetcar
Environment=XDG_STATE_HOME=%S
EnvironmentFile=-/etc/internetcar/environment
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_CAN AF_INET AF_INET6 AF_UNIX AF_NETLINK
MemoryDenyWriteExecute=yes
LockPersonality=yes

[Install]
WantedBy=multi-user.target
"""

NETWORK = """\
[Match]
Name={interface}

[CAN]
BitRate={bitrate}
ListenOnly={listen_only}
RestartSec=100ms
"""


@app.command()
def install(
    interface: Annotated[str, typer.Option(help="The CAN interface to bring up.")] = "can0",
    bitrate: Annotated[
        int, typer.Option(help="Bit rate of that bus, in bit/s.", min=10_000, max=1_000_000)
    ] = 500_000,
    transmit: Annotated[
        bool, typer.Option(help="Let the interface acknowledge and send; else listen-only.")
    ] = False,
    config: Annotated[Path, typer.Option(help="Where the gateway's settings are.")] = Path(
        "/etc/internetcar/internetcar.toml"
    ),
    root: Annotated[Path, typer.Option(help="Write below this folder instead of /.")] = Path("/"),
) -> None:
    """Write the systemd unit and the network file of a CAN interface, and say what was written.

    Nothing is started and no file of yours is replaced: what is there already is left.
    """
    if not _INTERFACE.fullmatch(interface):
        raise InputError(f"--interface {interface!r}: 1 to 15 letters, digits, _, . and -")
    config = config.absolute()
    car = _car()
    unit = UNIT.format(car=_quoted(car), config=_quoted(str(config)))
    network = NETWORK.format(
        interface=interface, bitrate=bitrate, listen_only="no" if transmit else "yes"
    )
    etc = root / "etc/systemd"
    _write(etc / "system/internetcar-gateway.service", unit)
    _write(etc / f"network/80-{interface}.network", network)
    if not (root / config.relative_to("/")).exists():
        typer.echo(f"next: car init {config}   then write your car and broker into it")
    for folder in _closed(Path(car)):
        typer.echo(f"next: chmod o+x {folder}   for the service has a user of its own")
    typer.echo("next: systemctl enable --now systemd-networkd internetcar-gateway")


def _car() -> str:
    return shutil.which("car") or str(Path(sys.executable).with_name("car"))


def _quoted(text: str) -> str:
    """One word of a command line in a unit file (systemd.service(5), "Command lines").

    Raises:
        InputError: No unit file can say it.
    """
    if not text.isprintable():
        raise InputError(f"{text!r}: a unit file cannot name it; use another path")
    for letter, escaped in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("$", "$$")):
        text = text.replace(letter, escaped)
    return f'"{text}"'


def _closed(program: Path) -> list[Path]:
    """The folders above a program that only their owner may enter."""
    return [folder for folder in program.parents if not folder.stat().st_mode & stat.S_IXOTH]


def _write(path: Path, text: str) -> None:
    try:
        if path.exists():
            same = path.read_text(encoding="utf-8") == text
            typer.echo(f"{'unchanged' if same else 'left as it is, not ours'}: {path}")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); use sudo") from error
    typer.echo(f"wrote: {path}")
