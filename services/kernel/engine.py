"""The engine: runs one partition of one decision service over a store.

One `step` fetches, decides in the order of `at`, and commits one transaction:

- *Merge*: an input is decided only when no other topic of the partition has an undecided record below the high
  watermark of its last fetch that might have a smaller `at`. Ties: deadline, inbox, public.
- *Deadlines* fire no earlier than due + skew, and carry their due time; when more than `late` late, the time of
  firing, fixed once. *Refusals* are final only then: before either, end offsets are taken afresh and what lies below
  them with a smaller `at` is decided first.
- Any doubt about a commit drops everything; the next step claims again and rebuilds from the log.
"""

import gc
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from schemas.envelope import Record

from .decider import Deadline, DecisionService
from .fingerprint import fingerprint
from .partition import BrokenInvariantError, Decision, Effects, Partition
from .snapshot import read_snapshot, write_snapshot
from .space import Space
from .store import Claim, Outcome, Store

_log = structlog.get_logger(__name__)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the cyclic collector from going through a growing state again and again; what is there then stays."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
            gc.freeze()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one transaction, and how many records one fetch brings."""

    inputs_max: int = 500
    records_max: int = 4_000
    bytes_max: int = 8_000_000
    fetch_max: int = 1_000


@dataclass(frozen=True, slots=True)
class Progress:
    """What a step did: how many inputs and deadlines it decided, and until when nothing is to do (None: for input)."""

    decided: int
    more: bool
    due: int | None = None


class PartitionStoppedError(RuntimeError):
    """A bug stopped the partition at a record; everything before it is committed.

    `adjudex set-aside pass POSITION` goes past an input, as an event that names the operator.
    """

    def __init__(self, position: str, cause: BaseException) -> None:
        super().__init__(f"stopped at {position}: {type(cause).__name__}: {cause}")
        self.position = position
        self.__cause__ = cause


@dataclass(slots=True)
class _Ends:
    """End offsets, and what they settle: fetches up to `generation`, deadlines that could fire at `taken`."""

    generation: int = -1
    taken: int = -1
    offsets: Mapping[str, int] = field(default_factory=dict)


class Engine:
    """The owner of one partition of one service. One step at a time; not thread-safe."""

    def __init__(
        self,
        space: Space,
        service: DecisionService[Any],
        store: Store,
        partition: int,
        *,
        limits: Limits | None = None,
        snapshots: Path | None = None,
    ) -> None:
        self.space = space
        self.service = service
        self.store = store
        self.index = partition
        self.limits = limits or Limits()
        self.snapshots = snapshots / f"{service.name}-{partition}.jsonl" if snapshots else None
        self.stopped: PartitionStoppedError | None = None
        self.recovered_events = 0
        self._core: Partition | None = None
        self._claim: Claim | None = None
        self._buffers: dict[str, deque[tuple[int, Record]]] = {}
        self._fetched: dict[str, int] = {}
        self._watermarks: dict[str, int] = {}
        self._generation = 0
        self._ends = _Ends()
        self._firing: dict[tuple[str, Deadline], int] = {}
        self._committed_log = 0
        self._snapshot_at = 0
        self._too_large = False

    @property
    def partition(self) -> Partition:
        """The pure middle; raises when the engine has not recovered."""
        if self._core is None:
            text = f"{self.service.name}/{self.index} owns nothing now"
            raise RuntimeError(text)
        return self._core

    # --- owning

    def drop(self) -> None:
        """Forget everything but the declaration; the next step recovers from the log."""
        self._core = None
        self._claim = None
        self._buffers.clear()
        self._firing.clear()

    async def recover(self) -> None:
        """Claim the partition and rebuild its state: fence first, then read (kafka.md, rule 1)."""
        self.drop()
        claim = await self.store.claim(self.service.log, self.index)
        topics = (self.service.log, *self.service.topics)
        incarnations = await self.store.incarnations(topics, self.index)
        core = Partition(self.space, self.service, self.index, incarnations, fingerprint(self.service))
        start = read_snapshot(self.snapshots, core) if self.snapshots else 0
        if start and not await self._stands(core, start):
            _log.warning("snapshot of another history, reading the whole log", path=str(self.snapshots))
            core, start = Partition(self.space, self.service, self.index, incarnations, core.fingerprint), 0
        self._snapshot_at = start
        events = 0
        with _no_collection():
            async for records in self.store.replay(self.service.log, self.index, start):
                for record in records:
                    core.apply(record)
                events += len(records)
                start = records[-1].offset + 1
        self._core, self._claim, self.recovered_events = core, claim, events
        self._committed_log = start
        self._buffers = {topic: deque() for topic in self.service.topics}
        self._fetched = dict(core.next_offsets)
        self._watermarks = dict.fromkeys(self.service.topics, 0)
        self._ends = _Ends()

    async def _stands(self, core: Partition, start: int) -> bool:
        """Tell whether the log before `start` ends as a snapshot says: it may have been restored from a backup."""
        async for records in self.store.replay(self.service.log, self.index, start - 1):
            return ("ce_chain", core.chain.hex().encode()) in records[0].headers
        return False

    def snapshot(self) -> None:
        """Write a snapshot of what is committed; only between steps."""
        if self.snapshots and self._core is not None and self._committed_log > self._snapshot_at:
            write_snapshot(self.snapshots, self._core, self._committed_log)
            self._snapshot_at = self._committed_log

    # --- one transaction

    async def step(self) -> Progress:
        """Decide and commit one batch; raises PartitionStoppedError when a bug stops the partition."""
        if self.stopped is not None:
            raise self.stopped
        with self._whole():
            return await self._step()

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Forget what was folded but not committed when the store fails, or the step is cancelled, half-way."""
        try:
            yield
        except PartitionStoppedError:
            raise
        except BaseException:
            self.drop()
            raise

    async def _step(self) -> Progress:
        if self._core is None:
            await self.recover()
        core = self.partition
        await self._refill()
        effects = Effects()
        core.start_release(self.store.now(), effects)
        decided, bug = 0, None
        inputs_max = 1 if self._too_large else self.limits.inputs_max
        while decided < inputs_max and len(effects) < self.limits.records_max:
            if effects.bytes >= self.limits.bytes_max:
                break
            chosen = None if self._blocked() else await self._choose()
            if chosen is None:
                break
            position, decision = chosen
            if isinstance(decision, Exception):
                bug = PartitionStoppedError(position, decision)
                break
            try:
                core.accept(decision, effects)
            except Exception as error:  # noqa: BLE001 - whatever a decider raises is a bug of its, named and kept
                bug = PartitionStoppedError(position, error)
                break
            self._taken(decision)
            decided += 1
        core.flush(effects)
        committed = await self._commit(effects, decided)
        if bug is not None and committed:
            self.stopped = bug
            raise bug
        return self._progress(decided if committed else 0)

    def _progress(self, decided: int) -> Progress:
        if self._core is None:
            return Progress(decided, more=True)
        earliest = self._core.earliest()
        due = earliest[1].due + self.space.skew if earliest else None
        behind = any(
            not buffer and self._fetched[topic] < max(self._watermarks[topic], self._ends.offsets.get(topic, 0))
            for topic, buffer in self._buffers.items()
        )
        ready = any(self._buffers.values()) and not self._waiting(due)
        return Progress(decided, more=decided > 0 or behind or ready, due=due)

    def _waiting(self, due: int | None) -> bool:
        """Tell whether the next input has to wait for a deadline that may not fire yet."""
        head = self._head()
        return due is not None and head is not None and head[0] >= due - self.space.skew and self.store.now() < due

    async def _refill(self) -> None:
        wanted = {
            topic: self._fetched[topic]
            for topic, buffer in self._buffers.items()
            if len(buffer) < self.limits.fetch_max // 2
        }
        if not wanted:
            return
        answer = await self.store.fetch(self.index, wanted, self.limits.fetch_max)
        self._generation += 1
        for topic, fetched in answer.items():
            self._buffers[topic].extend((self._generation, record) for record in fetched.records)
            self._fetched[topic] = fetched.next
            self._watermarks[topic] = fetched.end

    async def _commit(self, effects: Effects, decided: int) -> bool:
        """Commit; tell whether it is known to have happened."""
        if not effects.log and not effects.sends and not decided:
            return True
        assert self._claim is not None
        core = self.partition
        outcome, log_end = await self.store.commit(self._claim, effects.log, effects.sends, dict(core.next_offsets))
        if outcome is Outcome.OK:
            self._committed_log = log_end
            self._too_large = False
            return True
        _log.warning("commit", service=self.service.name, partition=self.index, outcome=outcome.value)
        self.drop()
        if outcome is Outcome.TOO_LARGE:
            if self._too_large:
                what = f"{self.service.log}/{self.index} after {core.next_offsets}"
                self.stopped = PartitionStoppedError(what, BrokenInvariantError("one input is too large for the store"))
                raise self.stopped
            self._too_large = True
        return False

    # --- choosing

    def _head(self) -> tuple[int, str, int, Record] | None:
        """Return the undecided record with the smallest `at`; inbox before public where they tie."""
        best = None
        for topic in self.service.topics:
            buffer = self._buffers[topic]
            if buffer:
                generation, record = buffer[0]
                at = self.partition.instant(record)
                if best is None or at < best[0]:
                    best = (at, topic, generation, record)
        return best

    def _blocked(self) -> bool:
        """Tell whether a topic may still hold an undecided record that was not fetched."""
        return any(
            not buffer and self._fetched[topic] < self._watermarks[topic] for topic, buffer in self._buffers.items()
        )

    async def _choose(self) -> tuple[str, Decision | Exception] | None:
        """Choose what is decided next and decide it; None when nothing may be decided before more is fetched."""
        head = self._head()
        earliest = self.partition.earliest()
        if earliest is not None and (head is None or head[0] >= earliest[1].due):
            instant = self._instant_of(earliest)
            if instant is None:
                return None
            if head is None or head[0] >= instant:
                settled = await self._settled(self._generation, max(instant, earliest[1].due + self.space.skew))
                return self._fire(earliest, instant) if settled else None
        return None if head is None else await self._input(head[2], head[3])

    async def _input(self, generation: int, record: Record) -> tuple[str, Decision | Exception] | None:
        """Decide an input; None when a refusal may not be final before more is fetched."""
        position = f"{record.topic}/{record.partition}/{record.offset}"
        try:
            decision = self.partition.decide(record)
        except Exception as error:  # noqa: BLE001 - whatever a decider raises is a bug of its, named and kept
            return position, error
        if decision.refusal is not None and not await self._settled(generation, 0):
            return None
        return position, decision

    def _instant_of(self, earliest: tuple[str, Deadline]) -> int | None:
        """Return the instant at which a deadline counts; None while it may not fire."""
        deadline = earliest[1]
        now = self.store.now()
        if earliest in self._firing:
            return self._firing[earliest]
        if now < deadline.due + self.space.skew:
            return None
        instant = deadline.due if now - deadline.due <= self.space.late else now
        self._firing[earliest] = instant
        return instant

    async def _settled(self, generation: int, taken_from: int) -> bool:
        """Tell whether nothing that was appended by now may come first; otherwise have it fetched first.

        A topic with a fetched record is settled, whatever follows it: `at` never falls within a topic.
        """
        if self._ends.generation < generation or self._ends.taken < taken_from:
            taken = self.store.now()
            offsets = await self.store.end_offsets(self.index, self.service.topics, committed=False)
            self._ends = _Ends(self._generation, taken, offsets)
        return all(
            buffer or self._fetched[topic] >= self._ends.offsets[topic] for topic, buffer in self._buffers.items()
        )

    def _fire(self, earliest: tuple[str, Deadline], instant: int) -> tuple[str, Decision | Exception]:
        key, deadline = earliest
        position = f"{self.service.log}/{self.index} {key} deadline {deadline.name}"
        try:
            decision = self.partition.fire(key, deadline, instant)
        except Exception as error:  # noqa: BLE001 - as above
            return position, error
        del self._firing[earliest]
        return position, decision

    def _taken(self, decision: Decision) -> None:
        if decision.topic:
            self._buffers[decision.topic].popleft()

    # --- operators

    async def pass_input(self, topic: str, offset: int, *, operator: str, reason: str) -> None:
        """Set the next undecided input of a topic aside, whatever it is; raises ValueError when it is not the next."""
        await self.recover()
        core = self.partition
        following, records = max(core.next_offsets[topic], 1), ()
        while not records:
            fetched = (await self.store.fetch(self.index, {topic: following}, 1))[topic]
            following, records = fetched.next, tuple(fetched.records)
            if following >= fetched.end:
                break
        if not records or records[0].offset != offset:
            held = f"the next undecided is {records[0].offset}" if records else "every input there is decided"
            text = f"{topic}/{self.index}/{offset} cannot be passed: {held}"
            raise ValueError(text)
        effects = Effects()
        with self._whole():
            core.start_release(self.store.now(), effects)
            core.accept(core.set_aside(records[0], cause="passed", reason=reason, passed_by=operator), effects)
            if not await self._commit(effects, 1):
                text = "the commit did not succeed; look again before trying again"
                raise BrokenInvariantError(text)
        self.stopped = None
        self.drop()
