"""`car secure`: an authority, a certificate for everybody, and the broker's rules."""

import ipaddress
import os
import re
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from internetcar.contract.asyncapi import message_classes
from internetcar.contract.message import InputError
from internetcar.contract.settings import default_state_folder
from internetcar.launcher import secure_broker, secure_folder
from internetcar.launcher.access import Rights, name_of, service_rights
from internetcar.launcher.register import Register
from internetcar.launcher.secure_folder import SecureFolder, SecureFolderError, opened
from internetcar.launcher.tables import print_table

app = typer.Typer(
    help="Certificates for vehicles, services and people, and a mosquitto that knows them.",
    no_args_is_help=True,
)

_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}\.)*[A-Za-z0-9_-]{1,63}")
_BROKER_DAYS = 3653
"""As long as the authority: clients do not look at a list of revoked ones, and a broker whose
certificate has ended shuts everybody out."""

FolderOption = Annotated[
    str,
    typer.Option(
        "--folder", metavar="DIR", help="The authority's [$XDG_STATE_HOME/internetcar/secure]."
    ),
]
HostOption = Annotated[
    list[str],
    typer.Option(
        "--host", help="A name or address clients find the broker by, the main one first; again."
    ),
]
DaysOption = Annotated[int, typer.Option(help="How long the certificate holds.", min=1, max=3653)]
NameArgument = Annotated[str, typer.Argument(help="1 to 36 letters, digits, - and _.")]
VehiclesOption = Annotated[
    list[str], typer.Option("--vehicle-id", help="A vehicle it is about; may be given again.")
]
ChangeOption = Annotated[
    bool, typer.Option("--change", help="Give these rights to the certificate there is.")
]


@app.command()
def init(
    host: HostOption = [],  # noqa: B006  # typer's way to say: none
    port: Annotated[int, typer.Option(help="Where the broker listens.", min=1, max=65535)] = 8883,
    bind: Annotated[str, typer.Option(help="Listen on this address only.")] = "",
    broker_folder: Annotated[
        str,
        typer.Option(
            metavar="DIR",
            help="Where mosquitto's files go, if it is another user's [FOLDER/broker].",
        ),
    ] = "",
    folder: FolderOption = "",
) -> None:
    """Make an authority and the configuration of its broker, once."""
    path = authority_folder(folder)
    register = Register(
        hosts=_hosts(host or [socket.gethostname()]),
        port=port,
        bind=_host(bind) if bind else "",
        broker_folder=str(Path(broker_folder).absolute() if broker_folder else path / "broker"),
    )
    if not register.broker_folder.isprintable():
        raise InputError("--broker-folder: no configuration file can name it; use another path")
    now = datetime.now(UTC)
    made = secure_folder.create(path, register, now)
    try:
        made.issue_broker(now, _BROKER_DAYS)
        made.take_up(register, now)
    except BaseException:
        secure_folder.discard(path)
        raise
    option = f" --folder {path}" if folder else ""
    typer.echo(
        f"{path / 'authority.key'}   keep it safe: whoever has it can be anybody\n"
        f"{made.broker_folder / secure_broker.CONFIGURATION}   says:\n"
    )
    typer.echo((made.broker_folder / secure_broker.CONFIGURATION).read_text(encoding="utf-8"))
    typer.echo(
        f"next: car secure broker{option}              runs mosquitto so\n"
        f"      car secure vehicle VEHICLE_ID{option}  the gateway's certificate\n"
        f"      car secure person NAME --vehicle-id VEHICLE_ID{option}"
    )


@app.command()
def vehicle(
    vehicle_id: Annotated[str, typer.Argument(help="1 to 36 letters, digits, - and _; no VIN.")],
    days: DaysOption = 825,
    folder: FolderOption = "",
) -> None:
    """A certificate for the gateway of a vehicle: it writes its own subtree and nothing else."""
    _give(folder, vehicle_id, Rights(role="vehicle"), days, change=False)


@app.command()
def service(
    name: NameArgument,
    vehicle_id: VehiclesOption = [],  # noqa: B006
    reads: Annotated[
        list[str],
        typer.Option(
            metavar="TOPIC",
            help="What it hears below a vehicle, such as signal/+ [all gateways say].",
        ),
    ] = [],  # noqa: B006
    writes: Annotated[
        list[str],
        typer.Option(
            metavar="TOPIC",
            help="What it says below a vehicle, such as home/lamp, beside its classes.",
        ),
    ] = [],  # noqa: B006
    commands: Annotated[bool, typer.Option("--commands", help="Let it command vehicles.")] = False,
    pays: Annotated[bool, typer.Option("--pays", help="Let it ask wallets for money.")] = False,
    flies: Annotated[bool, typer.Option("--flies", help="Let it ask drones to fly.")] = False,
    answers: Annotated[
        bool, typer.Option("--answers", help="Let it answer and steer recommendations.")
    ] = False,
    change: ChangeOption = False,
    days: DaysOption = 825,
    folder: FolderOption = "",
) -> None:
    """A certificate for a service: it writes what its message classes say it publishes."""
    rights = service_rights(
        name,
        map(name_of, vehicle_id),
        reads,
        writes,
        message_classes(),
        commands=commands,
        pays=pays,
        flies=flies,
        answers=answers,
    )
    _give(folder, name, rights, days, change=change)


@app.command()
def person(
    name: NameArgument,
    vehicle_id: VehiclesOption,
    home_assistant: Annotated[
        bool, typer.Option("--home-assistant", help="It is Home Assistant: it may announce itself.")
    ] = False,
    account: Annotated[
        list[str], typer.Option(metavar="NAME", help="Whose wallet it sees; may be given again.")
    ] = [],  # noqa: B006
    change: ChangeOption = False,
    days: DaysOption = 365,
    folder: FolderOption = "",
) -> None:
    """A certificate for a person or a device, who hears some vehicles and commands them."""
    vehicles = tuple(map(name_of, vehicle_id))
    rights = Rights(
        role="person",
        vehicles=vehicles,
        home_assistant=home_assistant,
        accounts=tuple(map(name_of, account)),
    )
    _give(folder, name, rights, days, change=change)


@app.command()
def revoke(
    name: NameArgument,
    reload: Annotated[
        bool,
        typer.Option(
            "--reload", help="Do not end the broker: open connections become deaf and mute."
        ),
    ] = False,
    folder: FolderOption = "",
) -> None:
    """End all of somebody's certificates and connections; the broker is started anew for it."""
    now = datetime.now(UTC)
    with opened(authority_folder(folder)) as secure:
        secure.take_up(secure.register.without(name, now), now)
        secure.forget_key(name)
        typer.echo(f"{name} is revoked")
        end = secure_broker.reload if reload else secure_broker.end_connections
        _say_whether(end(secure.broker_folder), secure)


@app.command()
def renew(
    name: Annotated[str, typer.Argument(help="Whose; `broker` is the broker itself.")],
    days: DaysOption = 825,
    host: HostOption = [],  # noqa: B006
    folder: FolderOption = "",
) -> None:
    """A new key and certificate; the old one holds until its own end, so nobody is cut off."""
    now = datetime.now(UTC)
    with opened(authority_folder(folder)) as secure:
        if name == "broker":
            register = secure.register
            if host:
                register = register.model_copy(update={"hosts": _hosts(host)})
            secure.take_up(register, now)
            ends_at = secure.issue_broker(now, _BROKER_DAYS)
            typer.echo(f"the broker's certificate holds until {ends_at:%Y-%m-%d}")
        else:
            if host:
                raise InputError("--host: only the broker's certificate names hosts")
            if name not in secure.register.rights(now):
                role = secure.register.holder(name).rights.role
                raise InputError(f"{name} has ended or is revoked: `car secure {role} {name} …`")
            _issue(secure, secure.register, name, now, days)
        _say_whether(secure_broker.reload(secure.broker_folder), secure)


@app.command("list")
def list_all(folder: FolderOption = "") -> None:
    """Everybody who has or had a certificate, what they may do, and until when."""
    now = datetime.now(UTC)
    with opened(authority_folder(folder)) as secure:
        register = secure.register
    rows = []
    for name, holder in sorted(register.holders.items()):
        rights, last = holder.rights, holder.certificates[-1:]
        state = "ended"
        if name in register.rights(now):
            state = f"until {max(one.ends_at for one in holder.certificates):%Y-%m-%d}"
        elif last and last[0].revoked_at:
            state = f"revoked {last[0].revoked_at:%Y-%m-%d}"
        about = ", ".join(rights.vehicles) or ("all" if rights.role == "service" else "itself")
        rows.append((name, rights.role, about, state))
    print_table(("name", "role", "vehicles", "certificate"), rows)


@app.command()
def broker(folder: FolderOption = "") -> None:
    """Run mosquitto with these rules until Ctrl-C; it is started again when it ends."""
    with opened(authority_folder(folder)) as secure:
        secure.write_rules(datetime.now(UTC))
        place = secure.broker_folder
    secure_broker.run(place)


def _give(folder: str, name: str, rights: Rights, days: int, *, change: bool) -> None:
    now = datetime.now(UTC)
    with opened(authority_folder(folder)) as secure:
        register = secure.register.with_rights(name_of(name), rights, now, change=change)
        if change:
            secure.take_up(register, now)
            typer.echo(f"{name} has other rights")
        else:
            _issue(secure, register, name, now, days)
        _say_whether(secure_broker.reload(secure.broker_folder), secure)


def _issue(secure: SecureFolder, register: Register, name: str, now: datetime, days: int) -> None:
    ends_at = secure.issue(register, name, now, days)
    url = secure.url(name)
    assert url.cert is not None
    typer.echo(
        f"{name} has a certificate until {ends_at:%Y-%m-%d}; bring {url.cert.parent} to where it is"
        f" used, by a way nobody reads, and say where it lies there:\n{url.secret}"
    )


def _say_whether(is_told: bool, secure: SecureFolder) -> None:
    if not is_told:
        typer.echo(f"no broker runs here with {secure.broker_folder}: where it runs, restart it")


def authority_folder(option: str) -> Path:
    """Where an authority's files are."""
    path = Path(option) if option else default_state_folder(os.environ) / "secure"
    if not str(path).isprintable():
        raise SecureFolderError(f"--folder {str(path)!r}: use another path")
    return path.absolute()


def _hosts(given: list[str]) -> tuple[str, ...]:
    """All names of the broker, the one in our URLs first; this machine always finds it."""
    return tuple(dict.fromkeys([*map(_host, given), "localhost", "127.0.0.1"]))


def _host(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        if _HOST.fullmatch(text):
            return text
    raise InputError(f"--host {text[:60]!r}: write a name like pi.local or an address")
