"""`car install`: the gateway as a systemd service, and its CAN interface brought up at boot."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from internetcar.contract.message import InputError

app = typer.Typer()

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
StateDirectory=internetcar
Environment=XDG_STATE_HOME=%S
EnvironmentFile=-/etc/internetcar/environment
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
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
    bitrate: Annotated[int, typer.Option(help="Bit rate of that bus, in bit/s.")] = 500_000,
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
    unit = UNIT.format(car=_car(), config=config)
    network = NETWORK.format(
        interface=interface, bitrate=bitrate, listen_only="no" if transmit else "yes"
    )
    etc = root / "etc/systemd"
    _write(etc / "system/internetcar-gateway.service", unit)
    _write(etc / f"network/80-{interface}.network", network)
    if not (root / config.relative_to("/")).exists():
        typer.echo(f"next: car init {config}   then write your car and broker into it")
    typer.echo("next: systemctl enable --now systemd-networkd internetcar-gateway")


def _car() -> str:
    return shutil.which("car") or str(Path(sys.executable).with_name("car"))


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
