"""The demonstration on Kafka: topics and processes around the story, and what it is compared with afterwards."""

import asyncio
import contextlib
import secrets
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

from services.cli.console import FINDINGS, FINE, OperationRefusedError
from services.cli.data import DataDirectory
from services.cli.demo.alike import Comparison, compare
from services.cli.demo.calendar import Hurried
from services.cli.demo.cluster import KafkaStage, create_space
from services.cli.demo.processes import Services
from services.cli.demo.run import Demonstration, OffScriptError
from services.cli.demo.scene import Quiet, Show
from services.cli.demo.stage import PARTITIONS, EmbeddedStage
from services.cli.exports import verify_file
from services.kernel.export import Export, read_export
from services.registry import TOPIC_NAMES


async def perform(data: DataDirectory, export: Path, show: Show, *, day_s: int, kept: bool) -> int:
    """Play the story on a cluster, verify what its topics hold, and compare it; returns the exit code."""
    async with _ended_by_signals():
        began = time.monotonic()
        name = f"demo-{secrets.token_hex(4)}"
        show.opening(name, Hurried(time.time_ns() // 1_000_000, day_s))
        space = await create_space(data, name)
        _say_topics(show, data, name)
        async with Services.of(data) as services:
            _say_processes(show, services, time.monotonic() - began)
            async with KafkaStage.open(data, space, services, day_s) as stage:
                show.begins(stage.calendar)
                demonstration = Demonstration(stage, show)
                await _play(demonstration, day_s)
                show.balances(demonstration.balances())
                show.books(demonstration.books())
                ended = await asyncio.to_thread(services.stop)
                with export.open("wb") as file:
                    await stage.export(file)
    console = show.checking(export if kept else None)
    with export.open("rb") as file:
        code = verify_file(file, console)
    stopped = all(service.process.returncode == 0 for service in ended)
    codes = {service.name: service.process.returncode for service in ended}
    found = compare(await _embedded(), _read(export))
    _say_comparison(show, found, demonstration.late_ms, day_s)
    said = "stopped in order" if stopped else f"did not all stop in order: exit codes {codes}"
    show.note(
        "ended",
        {"exit_codes": codes, "space": space.name, "seconds": round(time.monotonic() - began, 1)},
        f"{len(ended)} processes {said}; {time.monotonic() - began:.0f} seconds in all",
        *_left(data, space.name, kept=kept),
    )
    return FINE if code == FINE and stopped and not found.differences else FINDINGS


async def _embedded() -> Export:
    """Play the same story on an embedded log."""
    with TemporaryDirectory(prefix="adjudex-") as directory:
        path = Path(directory) / "export.jsonl"
        stage = EmbeddedStage(path.with_name("space.sqlite"))
        try:
            await Demonstration(stage, Quiet()).play()
            with path.open("wb") as file:
                await stage.export(file)
        finally:
            stage.close()
        return _read(path)


def _read(path: Path) -> Export:
    with path.open("rb") as file:
        return read_export(file)


async def _play(demonstration: Demonstration, day_s: int) -> None:
    try:
        await demonstration.play()
    except OffScriptError as error:
        text = f"the story has come out otherwise, and cannot go on to {error}"
        raise OperationRefusedError(text, _slowness(demonstration.late_ms, day_s)) from None


def is_slow(late_ms: int, day_s: int) -> bool:
    """Tell whether somebody was late by more than an hour of the story, whose steps are hours apart."""
    return late_ms * 24 > day_s * 1_000


def _slowness(late_ms: int, day_s: int) -> str:
    return (
        f"somebody in it was {late_ms / 1_000:.1f} seconds late, where a day takes {day_s}: on a machine as busy as "
        f"this, --day-seconds {3 * day_s} gives everybody more time"
    )


@contextlib.asynccontextmanager
async def _ended_by_signals() -> AsyncIterator[None]:
    """Let SIGTERM and SIGINT end what runs in order, services first."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, task.cancel)
    try:
        yield
    except asyncio.CancelledError:
        raise OperationRefusedError("ended by a signal; its services are stopped", "run it again") from None
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


# --- saying


def _say_topics(show: Show, data: DataDirectory, space: str) -> None:
    topics = {"space": space, "cluster": data.settings().bootstrap, "topics": len(TOPIC_NAMES)}
    text = f"{len(TOPIC_NAMES)} topics of {PARTITIONS} partitions on {data.settings().bootstrap}: {space}.*"
    show.note("topics", topics, text, "a process for each service is starting")


def _say_processes(show: Show, services: Services, seconds: float) -> None:
    running = services.running
    spelled = [{"service": one.name, "pid": one.process.pid, "web": one.web} for one in running]
    lines = [f"  {one.name:<14}process {one.process.pid:<9}http://{one.web}/metrics" for one in running]
    head = f"{len(running)} processes are ready after {seconds:.1f} seconds; nothing but topics is between them:"
    show.note("processes", {"processes": spelled}, head, *lines)


def _say_comparison(show: Show, found: Comparison, late_ms: int, day_s: int) -> None:
    content = {
        "same": not found.differences,
        "aggregates": found.aggregates,
        "events": found.events,
        "differences": found.differences,
        "late_ms": late_ms,
    }
    counts = f"{found.aggregates} aggregates, {found.events} events; instants, positions and hashes aside"
    lines = [f"the same events per aggregate as on the embedded log: {'no' if found.differences else 'yes'}", counts]
    lines += [f"  {difference}" for difference in found.differences]
    if found.differences and is_slow(late_ms, day_s):
        lines.append(_slowness(late_ms, day_s))
    show.note("comparison", content, *lines)


def _left(data: DataDirectory, space: str, *, kept: bool) -> list[str]:
    if not kept:
        return [f"the topics {space}.* are left on the cluster"]
    where = f"--data {data.path} --kafka {data.settings().bootstrap}"
    return [f"to look into it: adjudex log show cover/cover-alice {where}"]
