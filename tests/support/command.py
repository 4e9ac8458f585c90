"""`adjudex` run inside the test's own process: for commands of which nothing depends on being another one."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from typer.testing import CliRunner

from services.cli.main import app

Answer = dict[str, Any]


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def adjudex(*args: str | Path, environment: Mapping[str, str] | None = None) -> Ended:
    """Run a command in this process: what is tested of it does not depend on its being one of its own."""
    result = CliRunner().invoke(app, [str(arg) for arg in args], env={"ADJUDEX_DATA": None, **(environment or {})})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ended(result.exit_code, result.stdout, result.stderr)


def answers(text: str) -> list[Answer]:
    """Read lines of JSON; one that was cut off by a kill says nothing."""
    whole = text[: text.rfind("\n") + 1]
    return [json.loads(line) for line in whole.splitlines()]
