"""Asking the query API from outside, as its users do: over HTTP, on a connection that stays open."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

import orjson

from services.cli.data import DataDirectory
from services.kernel.space import Space
from tests.bench.rows import Row, Spread
from tools.broker import ROOT, Ports

_PATIENCE_S = 60
_POLL_S = 0.01
"""How long the watcher rests between two questions: part of what it finds."""
_NEWEST = "/v1/covers?limit=100"


class Asker:
    """One connection to a portal."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask; return the status and the content."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def rows(self, path: str) -> list[dict[str, Any]]:
        """Ask for a list."""
        status, content = self.get(path)
        assert status == HTTPStatus.OK, content
        items: list[dict[str, Any]] = orjson.loads(content)["items"]
        return items

    def timed_ms(self, paths: Iterable[str]) -> list[float]:
        """Ask one after the other; return how many milliseconds each answer took."""
        found = []
        for path in paths:
            began = time.perf_counter()
            status, content = self.get(path)
            found.append((time.perf_counter() - began) * 1_000)
            assert status == HTTPStatus.OK, content
        return found

    def wait(self) -> None:
        """Wait until there is something to read."""
        until = time.monotonic() + _PATIENCE_S
        while not self._is_ready():
            assert time.monotonic() < until, "the portal does not answer"
            time.sleep(_POLL_S)

    def _is_ready(self) -> bool:
        try:
            return self.get("/ready")[0] == HTTPStatus.OK
        except OSError:
            return False
        finally:
            self._connection.close()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class CoverWatch:
    """Looks at the newest covers over and over, and notes when each was there to be seen first."""

    def __init__(self, port: int) -> None:
        self.seen: dict[str, float] = {}
        self._port = port
        self._stop = Event()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look in a thread until the block ends."""
        looking = asyncio.create_task(asyncio.to_thread(self._look))
        try:
            yield
        finally:
            self._stop.set()
            await looking

    def _look(self) -> None:
        asker = Asker(self._port)
        while not self._stop.wait(_POLL_S):
            rows = asker.rows(_NEWEST)
            now = time.perf_counter()
            for row in rows:
                self.seen.setdefault(row["id"], now)
        asker.close()

    async def all_seen(self, wanted: Iterable[str]) -> None:
        """Wait until all of these have been seen."""
        missing, until = set(wanted), time.monotonic() + _PATIENCE_S
        while missing := missing - self.seen.keys():
            assert time.monotonic() < until, f"{len(missing)} covers are not to be seen"
            await asyncio.sleep(_POLL_S)

    def spread_ms(self, sent: Mapping[str, float], warm: int) -> list[float]:
        """Return how many milliseconds each took to be seen, without the first ones, sorted."""
        return sorted((self.seen[name] - at) * 1_000 for name, at in list(sent.items())[warm:])


@asynccontextmanager
async def portal(space: Space, database: str, folder: Path) -> AsyncIterator[Asker]:
    """Run the portal as operators do, over a read model that nobody changes."""
    DataDirectory(folder).describe(space)
    with free_port() as port:
        arguments = ("run", "portal", "--data", folder, "--web", f"127.0.0.1:{port}", "--database", database)
        asker = Asker(port)
        async with command(*arguments):
            await asyncio.to_thread(asker.wait)
            yield asker
            asker.close()


@contextmanager
def free_port() -> Iterator[int]:
    """Keep a port of this machine for whoever is told to listen there."""
    ports = Ports()
    try:
        yield ports.take()
    finally:
        ports.release()


@asynccontextmanager
async def command(*arguments: str | Path, pipe: int | None = None) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `adjudex` in a process of its own until the block ends; `pipe` is for what goes in and comes out."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ADJUDEX_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", *map(str, arguments)), cwd=ROOT, env=kept, stdin=pipe, stdout=pipe
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def path_of(kind: str, row_id: str = "", **parameters: str) -> str:
    """Spell a question."""
    asked = "&".join(f"{name}={quote(value, safe='/:,')}" for name, value in parameters.items())
    return f"/v1/{kind}" + (f"/{quote(row_id)}" if row_id else "") + (f"?{asked}" if asked else "")


def latency_rows(name: str, what: str, spread: Sequence[float], beside: Sequence[Row] = ()) -> list[Row]:
    """Make the rows of the median and of 99 of 100, in milliseconds; `beside` are those of something else."""
    ordered = sorted(spread)
    found: list[Row] = []
    for end, text, value in (
        ("", f"{what}, median", ordered[len(ordered) // 2]),
        ("-p99", "the same, 99 of 100", ordered[len(ordered) * 99 // 100]),
    ):
        other = beside[len(found)] if beside else None
        ratio = None if other is None else Spread.of([value / other.value.median])
        found.append(Row(f"{name}{end}", text, Spread.of([value]), "ms", ratio, other.name if other else ""))
    return found
