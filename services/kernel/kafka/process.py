"""One process of a service: a task for each partition that the group gives it, until told to stop.

What a task drives is a `Subject`: an engine, or the relays of a partition. It steps it, waits for input or the next
deadline, backs off when the cluster does not answer, and after a fence claims again only while the partition is still
its own: whoever claims fences the rightful owner.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from services.kernel import collector
from services.kernel.engine import Engine, PartitionStoppedError
from services.kernel.store import Outcome, StoreError

from .clients import AuthorizationError, LostRecordsError, kafka_errors
from .membership import HEARTBEAT_MS, Membership
from .store import KafkaStore

_log = structlog.get_logger(__name__)

AFTER_FENCE_S = 2.5 * HEARTBEAT_MS / 1_000
"""How long a fenced owner waits before it claims again: until then it has heard that the partition went elsewhere."""
_BACKOFF_MIN_S, _BACKOFF_MAX_S = 0.05, 5.0
_STOPPED_S = 5.0
_IDLE_MAX_S = 5.0
_HELD_UP_S = 0.002
_SNAPSHOT_EVERY = 20_000
_FEW = 100
_PACE_MAX_S = 0.05
_LEAVE_S = 2.5


class Subject(Protocol):
    """What a task drives."""

    @property
    def waits_for(self) -> str:
        """What it is not ready for yet, or nothing."""

    async def step(self) -> float:
        """Do what can be done now; return for how many seconds nothing else is to do unless records arrive."""

    async def arrival(self, timeout_s: float) -> None:
        """Wait until records arrive, or time is up."""

    async def close(self) -> None:
        """Let go of the partition and its connections."""


class FencedError(RuntimeError):
    """Somebody else has claimed the partition."""


class DoubtfulError(RuntimeError):
    """A commit did not succeed, or nobody knows: the log will say."""


async def pace(began: float, inputs: int) -> None:
    """After a small batch, rest for as long as it took: what arrives meanwhile is one batch instead of many.

    A cluster that answers at once is hardly waited for; a busy one gets half as many transactions, twice as large.
    """
    if inputs < _FEW:
        await asyncio.sleep(min(time.perf_counter() - began, _PACE_MAX_S))


async def _first_step(subject: Subject) -> float:
    """Take the step that reads the log, and keep what it read from the collector."""
    with collector.paused():
        wait_s = await subject.step()
        collector.keep()
        return wait_s


class EngineSubject:
    """An engine of one partition, over a store of its own."""

    def __init__(self, engine: Engine, store: KafkaStore) -> None:
        self.engine = engine
        self.store = store
        self._stopped_at: int | None = None

    @property
    def waits_for(self) -> str:
        """Say how far the log is read."""
        if self.engine.is_recovered:
            return ""
        return f"its log: {self.engine.recovered_events:,} of about {self.engine.recovery_end:,} records are read"

    async def step(self) -> float:
        """Decide one batch; raises FencedError, DoubtfulError and what the engine raises."""
        engine = self.engine
        if engine.stopped is not None:
            await self._look_again()
        began = time.perf_counter()
        progress = await engine.step()
        if not engine.is_recovered:
            if engine.outcome is Outcome.FENCED:
                raise FencedError
            raise DoubtfulError(engine.outcome.value)
        self._snapshot(_SNAPSHOT_EVERY)
        if progress.decided:
            await pace(began, progress.decided)
            return 0.0
        if progress.more:
            return _HELD_UP_S
        if progress.due is None:
            return _IDLE_MAX_S
        return min(max(progress.due - self.store.now(), 0) / 1_000, _IDLE_MAX_S)

    async def _look_again(self) -> None:
        """Go on with a stopped partition once its log has grown: an operator has passed the input that stops it."""
        log, partition = self.engine.service.log, self.engine.index
        end = (await self.store.end_offsets(partition, [log], committed=True))[log]
        if self._stopped_at is None:
            self._stopped_at = end
        elif end != self._stopped_at:
            self._stopped_at = None
            self.engine.resume()

    async def arrival(self, timeout_s: float) -> None:
        """Wait for records."""
        await self.store.arrival(timeout_s)

    async def close(self) -> None:
        """Keep a snapshot and close the store."""
        if self.engine.stopped is None:
            self._snapshot(1)
        await self.store.close()

    def _snapshot(self, every: int) -> None:
        """Keep a snapshot; without one, the next start reads more of the log, and that is all."""
        try:
            self.engine.snapshot(every=every)
        except OSError as error:
            _log.warning("no snapshot", log=self.engine.service.log, partition=self.engine.index, error=str(error))


@dataclass(slots=True)
class Held:
    """One partition as this process has it: what it drives, how it fares, and how to end it."""

    subject: Subject
    released: asyncio.Event
    task: "asyncio.Task[None] | None" = None
    trouble: str = ""
    stopped: str = ""

    @property
    def waits_for(self) -> str:
        """What this partition is not ready for, or nothing."""
        return self.stopped or self.trouble or self.subject.waits_for


class Process:
    """The partitions of one service that this process has, as its membership says."""

    def __init__(self, name: str, membership: Membership, new_subject: Callable[[int], Subject]) -> None:
        self.name = name
        self.membership = membership
        self.held: dict[int, Held] = {}
        self._new_subject = new_subject
        self._closing: set[asyncio.Task[None]] = set()

    def waits_for(self) -> Mapping[str, str]:
        """Say what the process waits for before it is ready: nothing, when the answer is empty."""
        assigned = self.membership.partitions
        if assigned is None:
            return {"group": f"the first assignment in group {self.membership.group}"}
        waiting = dict.fromkeys((f"partition {number}" for number in sorted(assigned - self.held.keys())), "its start")
        waiting |= {f"partition {number}": held.waits_for for number, held in sorted(self.held.items())}
        return {place: what for place, what in waiting.items() if what}

    async def run(self, stop: asyncio.Event) -> None:
        """Run until told to stop; raises AuthorizationError, and whatever a bug raises."""
        member = asyncio.create_task(self.membership.run())
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self.membership.changed.clear()
                self._arrange()
                changed = asyncio.create_task(self.membership.changed.wait())
                tasks = {held.task for held in self.held.values() if held.task is not None}
                done, _ = await asyncio.wait({member, stopping, changed, *tasks}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                for task in done - {stopping, changed}:
                    task.result()
        finally:
            stopping.cancel()
            for number in tuple(self.held):
                self._release(number)
            if self._closing:
                await asyncio.wait(self._closing, timeout=_LEAVE_S)
            member.cancel()
            await asyncio.wait({member})

    def _arrange(self) -> None:
        """Begin what is newly assigned and end what is not any more."""
        assigned = self.membership.partitions or frozenset()
        for number in self.held.keys() - assigned:
            self._release(number)
        for number in sorted(assigned - self.held.keys()):
            held = self.held[number] = Held(self._new_subject(number), asyncio.Event())
            held.task = asyncio.create_task(self._drive(number, held))

    def _release(self, number: int) -> None:
        held = self.held.pop(number)
        held.released.set()
        if held.task is not None:
            task = held.task
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _drive(self, number: int, held: Held) -> None:
        """Step until released, whatever the cluster does meanwhile."""
        subject, failures, is_new = held.subject, 0, True
        log = _log.bind(process=self.name, partition=number)
        try:
            while not held.released.is_set():
                try:
                    wait_s = await (_first_step(subject) if is_new else subject.step())
                except (PartitionStoppedError, LostRecordsError) as error:
                    if held.stopped != str(error):
                        log.critical("stopped", error=str(error))
                    held.stopped = str(error)
                    await self._pause(held, _STOPPED_S)
                except AuthorizationError:
                    raise
                except FencedError:
                    log.warning("fenced")
                    held.trouble = "its turn: another process has claimed it"
                    await self._pause(held, AFTER_FENCE_S)
                    await self._unless_released(held, self.membership.settled.wait())
                except (StoreError, DoubtfulError, OSError, kafka_errors.KafkaError) as error:
                    failures += 1
                    held.trouble = f"the cluster: {error}"
                    wait_s = min(_BACKOFF_MIN_S * 2 ** (failures - 1), _BACKOFF_MAX_S)
                    log.warning("again", after_s=wait_s, error=str(error))
                    await self._pause(held, wait_s)
                else:
                    failures, held.trouble, held.stopped, is_new = 0, "", "", False
                    if wait_s:
                        await self._unless_released(held, subject.arrival(wait_s))
                    else:
                        await asyncio.sleep(0)
        finally:
            await subject.close()

    async def _pause(self, held: Held, seconds: float) -> None:
        await self._unless_released(held, asyncio.sleep(seconds))

    @staticmethod
    async def _unless_released(held: Held, waiting: Awaitable[object]) -> None:
        """Wait for something, but not when the partition is released meanwhile."""
        tasks = {asyncio.ensure_future(waiting), asyncio.create_task(held.released.wait())}
        _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
