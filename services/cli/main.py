"""The commands of `adjudex`: what they take, and how they are explained. What they do is in the modules beside."""

import asyncio
import re
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from services.cli import texts
from services.cli.console import Console, OperationRefusedError, configure_logging, ends

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _group(about: str) -> typer.Typer:
    return typer.Typer(
        help=about,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=_CONTEXT,
    )


app = _group(texts.ADJUDEX)
key_app = _group("Key pairs of principals, who vouch for inputs.")
log_app = _group("Show, export and verify what was decided.")
set_aside_app = _group("Inputs that could not be read, or stop a partition.")
topics_app = _group("What a space needs on a Kafka cluster.")
rulebook_app = _group("Check, show and compare rulebooks.")
app.add_typer(key_app, name="key")
app.add_typer(log_app, name="log")
app.add_typer(set_aside_app, name="set-aside")
app.add_typer(topics_app, name="topics")
app.add_typer(rulebook_app, name="rulebook")


class LogLevel(Enum):
    """From which level on the program's own log is shown."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _name(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", value):
        raise typer.BadParameter("1 to 64 letters, digits, dots, underscores and hyphens, a letter or digit first")
    return value


def _public_key(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[0-9a-f]{64}", value):
        raise typer.BadParameter("an Ed25519 public key: 64 hexadecimal digits in lower case")
    return value


def _addresses(value: str | None) -> str | None:
    from services.kernel.kafka.settings import KafkaSettings, SettingsError

    try:
        return value and KafkaSettings(value).bootstrap
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from None


def _web(value: str | None) -> str | None:
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < _PORTS:
        raise typer.BadParameter("HOST:PORT, such as 127.0.0.1:6066 or 0.0.0.0:6066")
    return value


def _readable(files: list[Path] | None) -> list[Path] | None:
    for file in files or ():
        if file != _STDIN and not (file.is_file() or file.is_fifo()):
            raise typer.BadParameter(f"there is no file {file}")
    return files


def _exported(file: Path | None) -> Path | None:
    _readable([file] if file else None)
    return file


Data = Annotated[
    Path, typer.Option("--data", envvar="ADJUDEX_DATA", metavar="DIR", file_okay=False, help="Where the space lives.")
]
Kafka = Annotated[
    str | None,
    typer.Option(
        "--kafka",
        envvar="ADJUDEX_KAFKA",
        metavar="HOST:PORT[,...]",
        callback=_addresses,
        help="The cluster, where the space is on one.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Say everything as JSON: one object, or one object a line.")]
Level = Annotated[LogLevel, typer.Option("--log-level", help="What the program logs of itself, on standard error.")]
_DATA, _STDIN = Path(".adjudex"), Path("-")
_PORTS = 2**16


@app.command(help=texts.DEMO)
@ends
def demo(
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", file_okay=False, help="Keep the space here; else it is thrown away."),
    ] = None,
    kafka: Annotated[
        str | None,
        # No environment variable: what is set for other commands must not turn this into something else.
        typer.Option(
            "--kafka", metavar="HOST:PORT[,...]", callback=_addresses, help="Tell it through this cluster instead."
        ),
    ] = None,
    day_seconds: Annotated[
        int, typer.Option(metavar="N", min=1, max=3600, help="With --kafka: how many seconds a day takes.")
    ] = 2,
    serve: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            callback=_web,
            help="Without --kafka: serve the query API and the console there when the story has ended.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> int:
    """Tell a story, from incident reports to payouts."""
    from services.cli.demo import run_demo

    return run_demo(data, kafka, day_s=day_seconds, serve=serve, as_json=as_json)


@app.command(help=texts.SIMULATE)
@ends
def simulate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", callback=_readable, help="Scenario files (TOML).")],
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", file_okay=False, help="Keep the log of one scenario here."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Run scenario files on a virtual clock and check what they expect."""
    from services.cli.data import DataDirectory
    from services.cli.scenario.command import simulate as run_files

    return run_files(files, Console(as_json=as_json), None if data is None else DataDirectory(data))


@app.command(help=texts.UP)
@ends
def up(  # noqa: PLR0913 - a parameter is an option
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            callback=_readable,
            help="Files of input lines; - is standard input, which is also read when no file is named.",
            show_default=False,
        ),
    ] = None,
    data: Data = _DATA,
    space: Annotated[
        str | None, typer.Option(metavar="NAME", callback=_name, help="Name of a new space.  [default: main]")
    ] = None,
    partitions: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=256, help="Partitions of a new space.  [default: 4]")
    ] = None,
    root_key: Annotated[
        str | None,
        typer.Option(metavar="HEX", callback=_public_key, help="Public key of governance's root in a new space."),
    ] = None,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="End when the input has ended and nothing is left to do now.")
    ] = False,
    serve: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", callback=_web, help="Serve the query API and the console there.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
    log_level: Level = LogLevel.WARNING,
) -> int:
    """Run a space until SIGINT or SIGTERM."""
    configure_logging(log_level.value)
    from services.cli.data import DataDirectory, NewSpace
    from services.cli.up import run_up

    wanted = NewSpace(space, partitions, root_key)
    return run_up(DataDirectory(data), wanted, files or [_STDIN], until_idle=until_idle, serve=serve, as_json=as_json)


@app.command(help=texts.RUN)
@ends
def run(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="Which one: see above.")],
    data: Data = _DATA,
    kafka: Kafka = None,
    instance: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            callback=_name,
            envvar="ADJUDEX_INSTANCE",
            help="Name of this process in its group: started again, it has its partitions at once. Never twice.",
            show_default=False,
        ),
    ] = None,
    web: Annotated[
        str, typer.Option(metavar="HOST:PORT", callback=_web, help="Where /live, /ready, /metrics and the portal are.")
    ] = "127.0.0.1:6066",
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="ADJUDEX_DATABASE",
            help="Of views and portal: where the read model is.  [default: SQLite, DIR/views.sqlite]",
            show_default=False,
        ),
    ] = None,
    log_level: Level = LogLevel.INFO,
) -> int:
    """Run one service of a space on Kafka until SIGINT or SIGTERM."""
    configure_logging(log_level.value)
    from services.cli.data import DataDirectory
    from services.cli.running import run_service

    return run_service(service, DataDirectory(data, kafka), instance, web, database)


@key_app.command("new", help=texts.KEY_NEW)
@ends
def key_new(
    name: Annotated[str, typer.Argument(metavar="NAME", callback=_name, help="Id of the principal.")],
    data: Data = _DATA,
    stream: Annotated[
        list[str] | None, typer.Option(help="A stream it may write; repeat for more.  [default: all that need proof]")
    ] = None,
    account: Annotated[
        list[str] | None, typer.Option(help="An account (CAIP-10) it may act for, or * for all; repeat for more.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Make an Ed25519 key pair for a principal."""
    from services.cli import principals

    return principals.new(data / "keys", name, Console(as_json=as_json), streams=stream or (), accounts=account or ())


@key_app.command("list", help=texts.KEY_LIST)
@ends
def key_list(data: Data = _DATA, as_json: Json = False) -> int:
    """List the key pairs in DIR/keys."""
    from services.cli import principals

    return principals.list_all(data / "keys", Console(as_json=as_json))


@log_app.command("show", help=texts.LOG_SHOW)
@ends
def log_show(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="An aggregate's key, an input's id, or a position.")],
    data: Data = _DATA,
    kafka: Kafka = None,
    as_json: Json = False,
) -> int:
    """Show the timeline of an aggregate, of an input and all that it began, or of a position."""
    from services.cli.data import DataDirectory
    from services.cli.timeline import show

    return asyncio.run(show(DataDirectory(data, kafka), what, Console(as_json=as_json)))


@log_app.command("export", help=texts.LOG_EXPORT)
@ends
def log_export(
    data: Data = _DATA,
    kafka: Kafka = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Where to write it.  [default: standard output]")
    ] = None,
    as_json: Json = False,
) -> int:
    """Export logs, inputs and everything else that a verifier needs, as of this moment."""
    from services.cli.data import DataDirectory
    from services.cli.exports import export

    return asyncio.run(export(DataDirectory(data, kafka), to, Console(as_json=as_json)))


@log_app.command("verify", help=texts.LOG_VERIFY)
@ends
def log_verify(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            dir_okay=False,
            readable=True,
            callback=_exported,
            show_default=False,
            help="An export, as it is or packed by gzip; - for standard input.",
        ),
    ] = None,
    data: Data = _DATA,
    kafka: Kafka = None,
    as_json: Json = False,
) -> int:
    """Verify an export, or the data directory when no FILE is named: believe nothing, decide everything again."""
    from services.cli.data import DataDirectory
    from services.cli.exports import opened, verify_data, verify_file

    console = Console(as_json=as_json)
    if file is None:
        return asyncio.run(verify_data(DataDirectory(data, kafka), console))
    with opened(file) as export:
        return verify_file(export, console)


class StoreKind(Enum):
    """What a space can be copied into."""

    EMBEDDED = "embedded"
    KAFKA = "kafka"


@log_app.command("copy", help=texts.LOG_COPY)
@ends
def log_copy(
    source: Annotated[Path, typer.Option("--from", metavar="DIR", file_okay=False, help="Where the space lives.")],
    target: Annotated[Path, typer.Option("--to", metavar="DIR", file_okay=False, help="Where its copy goes.")],
    kafka: Kafka = None,
    into: Annotated[
        StoreKind | None, typer.Option("--as", help="What the copy is.  [default: what the original is not]")
    ] = None,
    as_json: Json = False,
) -> int:
    """Copy a space into another store, record by record."""
    from services.cli.copying import Kind, copy
    from services.cli.data import DataDirectory

    kind = None if into is None else Kind(into.value)
    return asyncio.run(copy(DataDirectory(source, kafka), DataDirectory(target, kafka), kind, Console(as_json=as_json)))


@rulebook_app.command("lint", help=texts.RULEBOOK_LINT)
@ends
def rulebook_lint(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", callback=_readable, help="Rulebook files (TOML).")],
    as_json: Json = False,
) -> int:
    """Check rulebook files."""
    from services.cli import rulebooks

    return rulebooks.lint(files, Console(as_json=as_json))


@rulebook_app.command("show", help=texts.RULEBOOK_SHOW)
@ends
def rulebook_show(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="One that ships, or a file that ends in .toml.")],
    as_json: Json = False,
) -> int:
    """Show every value of a rulebook by its path."""
    from services.cli import rulebooks

    return rulebooks.show(name, Console(as_json=as_json))


@rulebook_app.command("diff", help=texts.RULEBOOK_DIFF)
@ends
def rulebook_diff(
    one: Annotated[str, typer.Argument(metavar="A", help="One that ships, or a file that ends in .toml.")],
    other: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    as_json: Json = False,
) -> int:
    """Say what differs from one rulebook to another."""
    from services.cli import rulebooks

    return rulebooks.diff(one, other, Console(as_json=as_json))


@app.command(help=texts.WHOIS)
@ends
def whois(
    what: Annotated[str, typer.Argument(metavar="ID", help="Any id.")],
    data: Data = _DATA,
    kafka: Kafka = None,
    as_json: Json = False,
) -> int:
    """Say of any id what it is, its state in a line, and where it stands."""
    from services.cli.data import DataDirectory
    from services.cli.explain import command

    return asyncio.run(command.whois(DataDirectory(data, kafka), what, Console(as_json=as_json)))


@app.command(help=texts.EXPLAIN)
@ends
def explain(
    what: Annotated[str, typer.Argument(metavar="ID", help="Any id.")],
    data: Data = _DATA,
    kafka: Kafka = None,
    as_json: Json = False,
) -> int:
    """Say why an amount, a refusal or a ruling is what it is."""
    from services.cli.data import DataDirectory
    from services.cli.explain import command

    return asyncio.run(command.explain(DataDirectory(data, kafka), what, Console(as_json=as_json)))


@set_aside_app.command("list", help=texts.ASIDE_LIST)
@ends
def set_aside_list(data: Data = _DATA, kafka: Kafka = None, as_json: Json = False) -> int:
    """List every input that was set aside, with its cause."""
    from services.cli.data import DataDirectory
    from services.cli.set_aside import list_all

    return asyncio.run(list_all(DataDirectory(data, kafka), Console(as_json=as_json)))


@set_aside_app.command("show", help=texts.ASIDE_SHOW)
@ends
def set_aside_show(
    position: Annotated[
        str, typer.Argument(metavar="POSITION", help="Where the input stands, or the event that set it aside.")
    ],
    data: Data = _DATA,
    kafka: Kafka = None,
    as_json: Json = False,
) -> int:
    """Show an input that was set aside, with its original bytes."""
    from services.cli.data import DataDirectory
    from services.cli.set_aside import show_one

    return asyncio.run(show_one(DataDirectory(data, kafka), position, Console(as_json=as_json)))


@set_aside_app.command("pass", help=texts.ASIDE_GO_PAST)
@ends
def set_aside_pass(
    position: Annotated[str, typer.Argument(metavar="POSITION", help="Where the input stands that stops a partition.")],
    operator: Annotated[str, typer.Option(metavar="NAME", callback=_name, help="Who answers for it.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it stays in the log for ever.")],
    data: Data = _DATA,
    kafka: Kafka = None,
    as_json: Json = False,
    log_level: Level = LogLevel.WARNING,
) -> int:
    """Go past an input that stops a partition."""
    configure_logging(log_level.value)
    from services.cli.data import DataDirectory
    from services.cli.set_aside import pass_one

    if not reason.strip():
        raise OperationRefusedError("the reason is empty", "say why the input is passed: others will read it")
    console = Console(as_json=as_json)
    return asyncio.run(pass_one(DataDirectory(data, kafka), position, console, operator=operator, reason=reason))


@set_aside_app.command("redrive", help=texts.ASIDE_REDRIVE)
@ends
def set_aside_redrive(  # noqa: PLR0913 - options, each by its name
    position: Annotated[str, typer.Argument(metavar="POSITION", help="Where the input stands, or the event about it.")],
    value: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="The repaired value.  [default: as it was]")
    ] = None,
    identifier: Annotated[str | None, typer.Option("--id", metavar="ID", help="Another id.")] = None,
    wire: Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Another type.")] = None,
    principal: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Who vouches for it, by a key in DIR/keys.")
    ] = None,
    wait: Annotated[
        int, typer.Option(metavar="SECONDS", min=0, max=600, help="How long to wait for its fate, on Kafka.")
    ] = 10,
    data: Data = _DATA,
    kafka: Kafka = None,
    as_json: Json = False,
) -> int:
    """Send a dead letter again as a new input, repaired or as it was."""
    from services.cli.data import DataDirectory
    from services.cli.redriving import Repair, redrive

    repair = Repair(value, identifier, wire, principal)
    return asyncio.run(redrive(DataDirectory(data, kafka), position, repair, Console(as_json=as_json), wait_s=wait))


@app.command(help=texts.REROUTE)
@ends
def reroute(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="Whose log says what was to be sent.")],
    to: Annotated[str, typer.Option("--to", metavar="RECEIVER", help="The service that was added later.")],
    data: Data = _DATA,
    kafka: Kafka = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    as_json: Json = False,
) -> int:
    """Send a service's messages from its log to a receiver that was added later."""
    from services.cli import rerouting
    from services.cli.data import DataDirectory

    console = Console(as_json=as_json)
    return asyncio.run(rerouting.reroute(DataDirectory(data, kafka), service, to, console, dry_run=dry_run))


@app.command(help=texts.DOCTOR)
@ends
def doctor(data: Data = _DATA, kafka: Kafka = None, as_json: Json = False) -> int:
    """Examine this machine and the data directory."""
    from services.cli.data import DataDirectory
    from services.cli.doctor import examine

    return asyncio.run(examine(DataDirectory(data, kafka), Console(as_json=as_json)))


Space = Annotated[str | None, typer.Option("--space", metavar="NAME", callback=_name, help="Name of a new space.")]
Partitions = Annotated[
    int | None, typer.Option("--partitions", metavar="N", min=1, max=256, help="Its partitions.  [default: 12]")
]
RootKey = Annotated[
    str | None,
    typer.Option("--root-key", metavar="HEX", callback=_public_key, help="Public key of governance's root in it."),
]
Replication = Annotated[
    int | None,
    typer.Option("--replication", metavar="N", min=1, help="Copies of new topics.  [default: 3, or one a broker]"),
]
Acls = Annotated[bool, typer.Option("--acls", help="Also who may do what: the least that each user needs.")]
Producers = Annotated[
    list[str] | None,
    typer.Option("--producer", metavar="NAME=STREAM[,...]", help="With --acls: who may post to which streams."),
]
Readers = Annotated[
    list[str] | None, typer.Option("--reader", metavar="NAME", help="With --acls: who may read outputs and logs.")
]
Auditors = Annotated[
    list[str] | None, typer.Option("--auditor", metavar="NAME", help="With --acls: who may read every topic.")
]


@topics_app.command("plan", help=texts.TOPICS_PLAN)
@ends
def topics_plan(  # noqa: PLR0913 - options, each by its name
    data: Data = _DATA,
    kafka: Kafka = None,
    space: Space = None,
    partitions: Partitions = None,
    root_key: RootKey = None,
    replication: Replication = None,
    acls: Acls = False,
    producer: Producers = None,
    reader: Readers = None,
    auditor: Auditors = None,
    as_json: Json = False,
) -> int:
    """Say what `apply` would do on the cluster."""
    from services.cli.data import DataDirectory, NewSpace
    from services.cli.topics import Asked, plan

    outsiders = (producer or (), reader or (), auditor or ())
    asked = Asked(NewSpace(space, partitions, root_key), replication, acls, *outsiders)
    return asyncio.run(plan(DataDirectory(data, kafka), asked, Console(as_json=as_json)))


@topics_app.command("apply", help=texts.TOPICS_APPLY)
@ends
def topics_apply(  # noqa: PLR0913 - options, each by its name
    data: Data = _DATA,
    kafka: Kafka = None,
    space: Space = None,
    partitions: Partitions = None,
    root_key: RootKey = None,
    replication: Replication = None,
    acls: Acls = False,
    producer: Producers = None,
    reader: Readers = None,
    auditor: Auditors = None,
    as_json: Json = False,
) -> int:
    """Bring the cluster to what the space needs."""
    from services.cli.data import DataDirectory, NewSpace
    from services.cli.topics import Asked, apply

    outsiders = (producer or (), reader or (), auditor or ())
    asked = Asked(NewSpace(space, partitions, root_key), replication, acls, *outsiders)
    return asyncio.run(apply(DataDirectory(data, kafka), asked, Console(as_json=as_json)))
