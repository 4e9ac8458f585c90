"""The demonstration: one story through public inputs, on the embedded log or through Kafka and separate processes."""

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from services.cli.console import OperationRefusedError
from services.cli.data import DataDirectory
from services.cli.demo.json_lines import JsonLines
from services.cli.demo.render import Timeline
from services.cli.demo.run import Demonstration
from services.cli.demo.scene import Show
from services.cli.demo.stage import EmbeddedStage
from services.cli.exports import verify_file

__all__ = ["run_demo"]

_EXPORT = "export.jsonl"


def run_demo(
    data: Path | None = None,
    kafka: str | None = None,
    *,
    day_s: int = 2,
    serve: str | None = None,
    as_json: bool = False,
) -> int:
    """Run the demonstration and print it.

    Args:
        data: The directory that keeps the space and its export, which must not have one yet; None: nothing is kept.
        kafka: The cluster, for a new space there and a process for each service; None: an embedded log.
        day_s: How many seconds a day of the story takes on a cluster.
        serve: Where the query API and the console are served once the story has ended, until a signal; not on Kafka.
        as_json: Print JSON lines, one of which has the log hash, instead of a timeline for people.

    Returns:
        The exit code: 0 when everything was verified, 1 when something is wrong.

    Raises:
        OperationRefusedError: `data` or the cluster cannot be used, or a service failed.
    """
    if serve is not None and kafka is not None:
        todo = "leave --serve out, and run views and portal over --data DIR; or leave --kafka out"
        raise OperationRefusedError(
            "--serve is for the embedded log, and the story on Kafka leaves nothing running", todo
        )
    show = JsonLines() if as_json else Timeline()
    with _directory(data) as path:
        directory = DataDirectory(path, kafka)
        _check(directory)
        if kafka is None:
            return _embedded(directory, show, kept=data is not None, serve=serve)
        from services.cli.demo.on_kafka import perform

        return asyncio.run(perform(directory, path / _EXPORT, show, day_s=day_s, kept=data is not None))


@contextlib.contextmanager
def _directory(data: Path | None) -> Iterator[Path]:
    if data is not None:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="adjudex-") as directory:
        yield Path(directory)


def _check(data: DataDirectory) -> None:
    todo = "name another directory with --data, or none: then nothing is kept"
    for path in (data.file, data.description, data.path / _EXPORT):
        if path.exists():
            raise OperationRefusedError(f"{path} exists, and the demonstration begins with an empty log", todo)


def _embedded(data: DataDirectory, show: Show, *, kept: bool, serve: str | None) -> int:
    if serve is not None:
        from services.cli.serving import check_address

        check_address(serve)
    try:
        stage = EmbeddedStage(data.file)
    except OSError as error:
        todo = "name another directory with --data, or none: then nothing is kept"
        raise OperationRefusedError(f"{data.path} cannot hold a log: {error.strerror}", todo) from None
    path = data.path / _EXPORT
    try:
        show.opening(stage.space.name, stage.calendar)
        demonstration = Demonstration(stage, show)
        asyncio.run(_play(demonstration, stage, path))
        show.balances(demonstration.balances())
        show.books(demonstration.books())
        console = show.checking(path if kept else None)
        with path.open("rb") as file:
            code = verify_file(file, console)
        if serve is not None:
            asyncio.run(_serve(stage, data.views, serve, show))
    finally:
        stage.close()
    return code


async def _serve(stage: EmbeddedStage, views: Path, web: str, show: Show) -> None:
    from services.cli.serving import ReadSide
    from services.cli.signals import until_signal
    from services.views.urls import sqlite_url

    async with ReadSide.of(stage.space, stage.store, sqlite_url(views), web) as side:
        show.note("served", {"address": side.address}, f"served at {side.address} until Ctrl-C")
        await until_signal().wait()


async def _play(demonstration: Demonstration, stage: EmbeddedStage, path: Path) -> None:
    await demonstration.play()
    with path.open("wb") as file:
        await stage.export(file)
