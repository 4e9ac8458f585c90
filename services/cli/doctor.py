"""`adjudex doctor`: whether everything a space on this machine needs is as it should be."""

import fcntl
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from schemas.instants import format_instant
from schemas.topics import SERVICES
from services.cli.backlog import Backlog, read_backlog
from services.cli.checks import Check, span
from services.cli.console import FINDINGS, FINE, Console, wrapped
from services.cli.data import DataDirectory
from services.cli.set_aside import pass_advice
from services.kernel.space import Space
from services.kernel.sqlite_store import SqliteStore
from services.kernel.store import StoreError
from services.registry import TOPIC_NAMES, decision_services

_LIBRARIES = ("cryptography", "orjson", "pydantic", "rich", "rpds-py", "structlog", "typer")
_PYTHON_MIN = (3, 11)
_BEHIND = 60_000
"""An input that waits longer than this (milliseconds) while the services run deserves a look."""
_RESTORE = "restore the directory from a copy, and check that one with `adjudex log verify`"
_FREE_WARN, _FREE_FAIL = 1_000_000_000, 100_000_000


async def examine(data: DataDirectory, console: Console) -> int:
    """Run every check that can be run; returns 1 when one of them fails."""
    checks = [*_machine()]
    if data.is_on_kafka:
        from services.cli.cluster import examine_cluster

        checks += [check async for check in examine_cluster(data)]
    else:
        checks += _directory(data)
    if data.file.exists():
        holder = _holder(data)
        checks.append(Check("lock", "ok", f"process {holder} runs this space" if holder else "nobody runs this space"))
        checks.append(_file(data))
        if checks[-1].status == "ok":
            checks += [check async for check in _space(data)]
    failed = any(check.status == "fail" for check in checks)
    lines = [
        line
        for check in checks
        for line in (
            *wrapped(f"{check.status:<6}{check.name:<13}", check.what),
            *(wrapped("", check.todo, indent=19) if check.todo else ()),
            *([f"  {check.command}"] if check.command else ()),
        )
    ]
    console.put({"healthy": not failed, "checks": [check._asdict() for check in checks]}, *lines)
    return FINDINGS if failed else FINE


def _machine() -> Iterator[Check]:
    python = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= _PYTHON_MIN:
        yield Check("python", "ok", python)
    else:
        yield Check("python", "fail", python, "install Python 3.11 or newer")
    found, missing = [], []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        yield Check("libraries", "fail", f"missing: {', '.join(missing)}", "install Adjudex again, or run `make setup`")
    else:
        yield Check("libraries", "ok", ", ".join(found))


def _directory(data: DataDirectory) -> Iterator[Check]:
    if not data.file.exists():
        where = f"there is no space in {data.path}"
        yield Check("data", "warn", where, "`adjudex up` creates one; --data names another directory")
        return
    yield Check("data", "ok", f"{data.path}, {data.file.stat().st_size:,} bytes")
    free = shutil.disk_usage(data.path).free
    status: Literal["ok", "warn", "fail"] = "fail" if free < _FREE_FAIL else "warn" if free < _FREE_WARN else "ok"
    todo = "" if status == "ok" else "make room: nothing is accepted once the disk is full"
    yield Check("disk", status, f"{free / 1e9:,.1f} GB free", todo)


def _holder(data: DataDirectory) -> str | None:
    """Return who has the lock, None when nobody has."""
    lock = data.file.with_suffix(data.file.suffix + ".lock")
    if not lock.exists():
        return None
    with lock.open("r", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return file.read().strip()
    return None


def _file(data: DataDirectory) -> Check:
    try:
        connection = sqlite3.connect(f"file:{data.file}?mode=ro", uri=True)
        try:
            found = [row[0] for row in connection.execute("PRAGMA quick_check")]
        finally:
            connection.close()
        if found != ["ok"]:
            return Check("file", "fail", f"SQLite finds it damaged: {'; '.join(found[:3])}", _RESTORE)
        with data.read():
            return Check("file", "ok", "SQLite finds it whole")
    except (sqlite3.Error, StoreError) as error:
        return Check("file", "fail", f"it cannot be read: {error}", _RESTORE)


async def _space(data: DataDirectory) -> AsyncIterator[Check]:
    with data.read() as (space, store):
        yield Check("space", "ok", f"{space.name}, {space.partitions} partitions")
        yield await _clock(space, store)
        markers = await _markers(space, store)
        yield markers
        if markers.status != "ok":
            return
        backlogs = [
            await read_backlog(space, store, service, partition)
            for service in decision_services()
            for partition in range(space.partitions)
        ]
    for check in (*_undecided(backlogs, store.now(), running=_holder(data) is not None), *_stopped(data, backlogs)):
        yield check
    yield _snapshots(data, space)


async def _markers(space: Space, store: SqliteStore) -> Check:
    try:
        for partition in range(space.partitions):
            await store.incarnations(TOPIC_NAMES, partition)
    except StoreError as error:
        return Check("markers", "fail", str(error), _RESTORE)
    return Check("markers", "ok", f"{len(TOPIC_NAMES)} topics, {space.partitions} partitions each")


async def _clock(space: Space, store: SqliteStore) -> Check:
    newest = 0
    for partition in range(space.partitions):
        ends = await store.end_offsets(partition, TOPIC_NAMES, committed=True)
        for topic, end in ends.items():
            fetched = await store.fetch(partition, {topic: max(end - 1, 0)}, 1)
            newest = max([newest, *(record.timestamp for record in fetched[topic].records)])
    now = store.now()
    what = f"{format_instant(now)}; the newest record is of {format_instant(newest)}"
    if now >= newest - space.skew:
        return Check("clock", "ok", what)
    return Check(
        "clock",
        "fail",
        f"{what}: the clock went back by {span(newest - now)}",
        "set the clock right; until it is past the newest record, time stands still and no deadline fires",
    )


def _undecided(backlogs: Sequence[Backlog], now: int, *, running: bool) -> Iterator[Check]:
    waiting = [(topic, held) for backlog in backlogs for topic, held in backlog.undecided.items()]
    if not waiting:
        yield Check("undecided", "ok", "every input is decided")
    for topic, held in waiting:
        age = now - held.oldest_at
        what = f"{topic}: {held.inputs:,} undecided, the oldest of {format_instant(held.oldest_at)}, {span(age)} ago"
        if not running:
            yield Check("undecided", "warn", what, "`adjudex up` decides them")
        elif age > _BEHIND:
            yield Check("undecided", "warn", what, "the services are behind, or stopped: see the next lines")
        else:
            yield Check("undecided", "ok", what)


def _stopped(data: DataDirectory, backlogs: Sequence[Backlog]) -> Iterator[Check]:
    stopped = [backlog.stopped for backlog in backlogs if backlog.stopped is not None]
    if not stopped:
        yield Check("stopped", "ok", f"none of {len(backlogs)} partitions")
    for error in stopped:
        advice = pass_advice(data, error.position)
        yield Check("stopped", "fail", str(error), advice.text, advice.command)


def _snapshots(data: DataDirectory, space: Space) -> Check:
    files = list(data.snapshots.glob("*.jsonl"))
    if not files:
        return Check("snapshots", "ok", "none: the next start reads the whole log")
    size = sum(file.stat().st_size for file in files)
    oldest = format_instant(int(min(file.stat().st_mtime for file in files) * 1_000))
    expected = len(SERVICES) * space.partitions
    return Check("snapshots", "ok", f"{len(files)} of {expected}, {size:,} bytes, the oldest of {oldest}")
