"""The demonstration: a story on the embedded log, on a virtual clock, through public inputs only."""

import asyncio
import tempfile
from pathlib import Path

from services.cli.console import OperationRefusedError
from services.cli.data import DataDirectory
from services.cli.demo.json_lines import JsonLines
from services.cli.demo.render import Timeline
from services.cli.demo.run import Demonstration
from services.cli.demo.scene import Show
from services.cli.exports import verify_file

__all__ = ["run_demo"]

_EXPORT = "export.jsonl"


def run_demo(data: Path | None = None, *, as_json: bool = False) -> int:
    """Run the demonstration and print it.

    Args:
        data: The directory that keeps the log and its export, which must not have one yet; None: they are not kept.
        as_json: Print JSON lines, the last of which has the log hash, instead of a timeline for people.

    Returns:
        The exit code: 0 when everything was verified, 1 when something is wrong.

    Raises:
        OperationRefusedError: `data` cannot be used.
    """
    show = JsonLines() if as_json else Timeline()
    if data is not None:
        return _perform(DataDirectory(data), show, kept=True)
    with tempfile.TemporaryDirectory(prefix="adjudex-") as directory:
        return _perform(DataDirectory(Path(directory)), show, kept=False)


def _perform(data: DataDirectory, show: Show, *, kept: bool) -> int:
    demonstration, path = _begin(data, show), data.path / _EXPORT
    try:
        show.opening()
        asyncio.run(demonstration.play(path))
    finally:
        demonstration.store.close()
    show.balances(demonstration.balances())
    console = show.checking(path if kept else None)
    with path.open("rb") as file:
        return verify_file(file, console)


def _begin(data: DataDirectory, show: Show) -> Demonstration:
    todo = "name another directory with --data, or none: then nothing is kept"
    for path in (data.file, data.path / _EXPORT):
        if path.exists():
            raise OperationRefusedError(f"{path} exists, and the demonstration begins with an empty log", todo)
    try:
        return Demonstration(data.file, show)
    except OSError as error:
        raise OperationRefusedError(f"{data.path} cannot hold a log: {error.strerror}", todo) from None
