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
app.add_typer(key_app, name="key")
app.add_typer(log_app, name="log")
app.add_typer(set_aside_app, name="set-aside")


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


def _readable(files: list[Path] | None) -> list[Path] | None:
    for file in files or ():
        if file != _STDIN and not (file.is_file() or file.is_fifo()):
            raise typer.BadParameter(f"there is no file {file}")
    return files


Data = Annotated[
    Path, typer.Option("--data", envvar="ADJUDEX_DATA", metavar="DIR", file_okay=False, help="Where the space lives.")
]
Json = Annotated[bool, typer.Option("--json", help="Say everything as JSON: one object, or one object a line.")]
Level = Annotated[LogLevel, typer.Option("--log-level", help="What the program logs of itself, on standard error.")]
_DATA, _STDIN = Path(".adjudex"), Path("-")


@app.command(help=texts.DEMO)
@ends
def demo(
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", file_okay=False, help="Keep the space here; else it is thrown away."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Tell a story, from incident reports to payouts."""
    from services.cli.demo import run_demo

    return run_demo(data, as_json=as_json)


@app.command(help=texts.UP)
@ends
def up(
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
    as_json: Json = False,
    log_level: Level = LogLevel.WARNING,
) -> int:
    """Run a space until SIGINT or SIGTERM."""
    configure_logging(log_level.value)
    from services.cli.data import DataDirectory, NewSpace
    from services.cli.up import run_up

    wanted = NewSpace(space, partitions, root_key)
    return run_up(DataDirectory(data), wanted, files or [_STDIN], until_idle=until_idle, as_json=as_json)


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
    as_json: Json = False,
) -> int:
    """Show the timeline of an aggregate, of an input and all that it began, or of a position."""
    from services.cli.data import DataDirectory
    from services.cli.timeline import show

    return asyncio.run(show(DataDirectory(data), what, Console(as_json=as_json)))


@log_app.command("export", help=texts.LOG_EXPORT)
@ends
def log_export(
    data: Data = _DATA,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Where to write it.  [default: standard output]")
    ] = None,
    as_json: Json = False,
) -> int:
    """Export logs, inputs and everything else that a verifier needs, as of this moment."""
    from services.cli.data import DataDirectory
    from services.cli.exports import export

    return asyncio.run(export(DataDirectory(data), to, Console(as_json=as_json)))


@log_app.command("verify", help=texts.LOG_VERIFY)
@ends
def log_verify(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", exists=True, dir_okay=False, readable=True, show_default=False, help="An export."
        ),
    ] = None,
    data: Data = _DATA,
    as_json: Json = False,
) -> int:
    """Verify an export, or the data directory when no FILE is named: believe nothing, decide everything again."""
    from services.cli.data import DataDirectory
    from services.cli.exports import verify_data, verify_file

    console = Console(as_json=as_json)
    if file is None:
        return asyncio.run(verify_data(DataDirectory(data), console))
    with file.open("rb") as opened:
        return verify_file(opened, console)


@set_aside_app.command("list", help=texts.ASIDE_LIST)
@ends
def set_aside_list(data: Data = _DATA, as_json: Json = False) -> int:
    """List every input that was set aside, with its cause."""
    from services.cli.data import DataDirectory
    from services.cli.set_aside import list_all

    return asyncio.run(list_all(DataDirectory(data), Console(as_json=as_json)))


@set_aside_app.command("show", help=texts.ASIDE_SHOW)
@ends
def set_aside_show(
    position: Annotated[
        str, typer.Argument(metavar="POSITION", help="Where the input stands, or the event that set it aside.")
    ],
    data: Data = _DATA,
    as_json: Json = False,
) -> int:
    """Show an input that was set aside, with its original bytes."""
    from services.cli.data import DataDirectory
    from services.cli.set_aside import show_one

    return asyncio.run(show_one(DataDirectory(data), position, Console(as_json=as_json)))


@set_aside_app.command("pass", help=texts.ASIDE_GO_PAST)
@ends
def set_aside_pass(
    position: Annotated[str, typer.Argument(metavar="POSITION", help="Where the input stands that stops a partition.")],
    operator: Annotated[str, typer.Option(metavar="NAME", callback=_name, help="Who answers for it.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it stays in the log for ever.")],
    data: Data = _DATA,
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
    return asyncio.run(pass_one(DataDirectory(data), position, console, operator=operator, reason=reason))


@app.command(help=texts.DOCTOR)
@ends
def doctor(data: Data = _DATA, as_json: Json = False) -> int:
    """Examine this machine and the data directory."""
    from services.cli.data import DataDirectory
    from services.cli.doctor import examine

    return asyncio.run(examine(DataDirectory(data), Console(as_json=as_json)))
