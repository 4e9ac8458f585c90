"""`adjudex up`: all services of a space in one process, on the wall's clock."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from schemas.envelope import Message, Outgoing
from schemas.outcomes import InputOutcome, PayoutInstruction
from schemas.topics import INSTRUCTIONS, OUTCOMES
from services.cli import render
from services.cli.console import FINDINGS, FINE, Console, complain
from services.cli.data import DataDirectory, NewSpace
from services.cli.intake import TOO_LONG, Intake, Line
from services.cli.keys import Keyring
from services.cli.lines import LineError, Posted, read_line
from services.cli.set_aside import pass_advice
from services.cli.signals import until_signal
from services.cli.trace import content_of
from services.embedded import Embedded
from services.kernel import collector
from services.kernel.engine import PartitionStoppedError
from services.kernel.space import Space
from services.kernel.sqlite_store import SqliteStore
from services.views.urls import sqlite_url

if TYPE_CHECKING:
    from services.cli.serving import ReadSide

_HELD_UP_S = 0.02
_WAIT_MAX_S = 10.0
"""The wall's clock may be set, or the machine sleep: what falls due is looked at again this often."""
_FETCH_MAX = 500
_SNAPSHOT_EVERY = 20_000
"""Log records of a partition between two snapshots: a kill costs reading at most that many again."""


class Follower:
    """Reads what is published from now on."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._read: dict[tuple[str, int], int] = {}

    async def start(self) -> None:
        """Begin where the topics end now."""
        for partition in range(self._store.partitions):
            ends = await self._store.end_offsets(partition, (OUTCOMES, INSTRUCTIONS), committed=True)
            self._read.update({(topic, partition): end for topic, end in ends.items()})

    async def new(self) -> list[Message]:
        """Return what was published since, outcomes first."""
        found: list[Message] = []
        for (topic, partition), start in self._read.items():
            fetched = (await self._store.fetch(partition, {topic: start}, _FETCH_MAX))[topic]
            found += (content for record in fetched.records if (content := content_of(record)) is not None)
            self._read[topic, partition] = fetched.next
        return found


class Up:
    """One run: takes lines in, lets the services decide, and says what comes of it."""

    def __init__(
        self, data: DataDirectory, space: Space, store: SqliteStore, console: Console, *, created: bool
    ) -> None:
        self.data = data
        self.created = created
        self.space = space
        self.store = store
        self.console = console
        self.keyring = Keyring(data.keys)
        self.embedded = Embedded(space, store, snapshots=data.snapshots)
        self.follower = Follower(store)
        self.code = FINE
        self.read_side: ReadSide | None = None
        self._stopped_told = 0

    async def run(self, files: Sequence[Path], *, until_idle: bool, serve: str | None) -> int:
        """Run until told to stop, or with `until_idle` until the input has ended and nothing is left to do."""
        if serve is None:
            return await self._run(files, until_idle=until_idle)
        from services.cli.serving import ReadSide

        async with ReadSide.of(self.space, self.store, sqlite_url(self.data.views), serve) as side:
            self.read_side = side
            return await self._run(files, until_idle=until_idle)

    async def _run(self, files: Sequence[Path], *, until_idle: bool) -> int:
        stop = until_signal()
        for engine in self.embedded.engines.values():
            await engine.recover()
        collector.keep()
        await self.follower.start()
        self._say_start()
        intake = Intake(files)
        try:
            while not stop.is_set():
                await self._take(intake)
                moved, held, due = await self.embedded.round()
                if self.read_side is not None:
                    await self.read_side.step()
                await self._say_news()
                self._snapshot(every=_SNAPSHOT_EVERY)
                if moved:
                    await asyncio.sleep(0)
                    continue
                if until_idle and intake.ended and not held and not await self._undecided():
                    break
                await _first(self._wait_s(due, held=held), stop, intake.arrived)
        except BrokenPipeError:
            self._snapshot()
            raise
        self._snapshot()
        return self.code

    def _wait_s(self, due: int | None, *, held: bool) -> float | None:
        """Return how long nothing is to do, unless something arrives."""
        if held:
            return _HELD_UP_S
        return None if due is None else min(max(0.0, (due - self.store.now()) / 1_000), _WAIT_MAX_S)

    def _snapshot(self, *, every: int = 1) -> None:
        for engine in self.embedded.engines.values():
            if engine.stopped is None:
                engine.snapshot(every=every)

    async def _undecided(self) -> bool:
        """Tell whether an input still waits, such as for a deadline that may only fire a little later."""
        for engine in self.embedded.engines.values():
            if engine.stopped is None:
                ends = await self.store.end_offsets(engine.index, engine.service.topics, committed=False)
                decided = engine.partition.next_offsets
                if any(decided[topic] < end for topic, end in ends.items()):
                    return True
        return False

    # --- taking lines in

    async def _take(self, intake: Intake) -> None:
        """Store a batch of lines in one transaction, then answer each."""
        lines = intake.take()
        if intake.failed is not None:
            wrong = f"the input cannot be read: {intake.failed}"
            complain(wrong, "mend it, and start again with what is not acknowledged", as_json=self.console.as_json)
            intake.failed, self.code = None, FINDINGS
        read = [self._read(line) for line in lines]
        records: list[Outgoing] = [answer.record for answer in read if isinstance(answer, Posted)]
        if not lines:
            return
        positions = iter(await self.embedded.put(records) if records else ())
        for line, answer in zip(lines, read, strict=True):
            if isinstance(answer, Posted):
                self._say_accepted(line, answer, str(next(positions)))
            else:
                self._say_error(line, answer)
        self.console.flush()

    def _read(self, line: Line) -> Posted | LineError:
        if line.content is None:
            return LineError("it is too long", TOO_LONG)
        try:
            return read_line(line.content, self.space, self.keyring)
        except LineError as error:
            return error

    # --- saying

    def _say_start(self) -> None:
        space, data, what = self.space, self.data.path, "new space" if self.created else "space"
        read = sum(engine.recovered_events for engine in self.embedded.engines.values())
        self.console.put(
            {
                "space": space.name,
                "partitions": space.partitions,
                "data": str(data),
                "created": self.created,
                "log_records_read": read,
                **({"served_at": self.read_side.address} if self.read_side is not None else {}),
            },
            f"{what} {space.name}, {space.partitions} partitions, in {data}; {read:,} log records read",
            *([f"served at {self.read_side.address}"] if self.read_side is not None else ()),
        )
        self.console.flush()

    def _say_accepted(self, line: Line, posted: Posted, position: str) -> None:
        answer: dict[str, Any] = {"accepted": posted.id, "position": position, "file": line.file, "line": line.number}
        if posted.made:
            answer["id_made"] = True
        made = ", an id made here" if posted.made else ""
        text = f"{posted.id}{made}  {render.place(position)}"
        self.console.put(answer, *render.headline("accepted", text))

    def _say_error(self, line: Line, error: LineError) -> None:
        self.code = FINDINGS
        answer = {"error": str(error), "would_accept": error.accepted, "file": line.file, "line": line.number}
        text = [*render.headline("error", f"{line.place}: {error}"), *render.detail("accepted", error.accepted)]
        self.console.put(answer, *text)

    async def _say_news(self) -> None:
        for error in self.embedded.stopped[self._stopped_told :]:
            self._say_stopped(error)
        self._stopped_told = len(self.embedded.stopped)
        for content in await self.follower.new():
            fragment = orjson.Fragment(content.to_bytes())
            if isinstance(content, InputOutcome):
                self.console.put({"outcome": fragment}, *render.outcome(content))
            elif isinstance(content, PayoutInstruction):
                self.console.put({"instruction": fragment}, *render.instruction(content))
        self.console.flush()

    def _say_stopped(self, error: PartitionStoppedError) -> None:
        self.code = FINDINGS
        advice = pass_advice(self.data, error.position)
        self.console.put(
            {"stopped": error.position, "error": str(error), "todo": str(advice)},
            *render.headline("STOPPED", str(error)),
            *render.detail("others", "all other partitions go on"),
            *render.detail("to do", advice.text),
            *([f"  {advice.command}"] if advice.command else ()),
        )


async def _first(wait_s: float | None, *events: asyncio.Event) -> None:
    """Wait for one of some events, but not for ever."""
    waits = {asyncio.create_task(event.wait()) for event in events}
    _, pending = await asyncio.wait(waits, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()


def run_up(
    data: DataDirectory,
    wanted: NewSpace,
    files: Sequence[Path],
    *,
    until_idle: bool,
    as_json: bool,
    serve: str | None = None,
) -> int:
    """Run a space; returns the exit code."""
    created = not data.file.exists()
    with data.own(wanted) as (space, store):
        up = Up(data, space, store, Console(as_json=as_json), created=created)
        return asyncio.run(up.run(files, until_idle=until_idle, serve=serve))
