"""The engine: runs one partition of one decision service over a store.

One `step` fetches, decides in the order of `at`, and commits one transaction:

- *Merge*: an input is decided only when no other topic of the partition has an undecided record below the high
  watermark of its last fetch that might have a smaller `at`. Ties: deadline, inbox, public.
- *Deadlines* carry their due time; when more than `late` late, the time of firing less the skew, up to which
  everything stamped is there. They fire in the order of these instants, and no earlier than instant + skew. *Refusals*
  are final only then: before either, end offsets are taken afresh and what lies below them with a smaller `at` is
  decided first.
- Any doubt about a commit drops everything; the next step claims again and rebuilds from the log.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from schemas.envelope import Record

from . import collector
from .decider import Deadline, DecisionService
from .fingerprint import fingerprint
from .partition import BrokenInvariantError, Decision, Effects, Partition
from .records import Refused, SetAside
from .snapshot import read_snapshot, write_snapshot
from .space import Space
from .store import Claim, Outcome, Store

_log = structlog.get_logger(__name__)


def _fate(decision: Decision) -> str:
    """Name what became of an input, or that it was a deadline, to be counted; a topic's marker is not, nor a part."""
    if decision.more:
        return ""
    if decision.passed is not None:
        return decision.passed.fate
    if not decision.topic:
        return "deadline"
    if not decision.events:
        return ""
    first = decision.events[0][1]
    return "refused" if isinstance(first, Refused) else "set-aside" if isinstance(first, SetAside) else "decided"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one transaction, and how many records one fetch brings.

    `deciding_ms_max` is after how long no further input is taken into it: other engines of the process wait meanwhile.
    """

    inputs_max: int = 500
    deciding_ms_max: int = 250
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


class _Closing(NamedTuple):
    """The deadline that counts next: at which instant, and from when it may fire or has to be looked at again."""

    instant: int
    key: str
    deadline: Deadline
    fires_at: int


@dataclass(slots=True)
class _Ends:
    """End offsets, and what they settle: fetches up to `generation`, deadlines that could fire at `taken`."""

    generation: int = -1
    taken: int = -1
    offsets: Mapping[str, int] = field(default_factory=dict)


class Engine:
    """The owner of one partition of one service. One step at a time; not thread-safe.

    For whoever watches: `fates` counts what was committed, `outcome` is how the last commit ended, and during recovery
    `recovered_events` rise towards where the log ends, `recovery_end`.
    """

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
        self.recovery_end = 0
        self.outcome = Outcome.OK
        self.fates: Counter[str] = Counter()
        self._core: Partition | None = None
        self._claim: Claim | None = None
        self._buffers: dict[str, deque[tuple[int, Record]]] = {}
        self._fetched: dict[str, int] = {}
        self._watermarks: dict[str, int] = {}
        self._asked: dict[str, int] = {}
        self._generation = 0
        self._ends = _Ends()
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

    @property
    def is_recovered(self) -> bool:
        """Whether it owns its partition, as far as it knows, and has read its log."""
        return self._core is not None

    def oldest_undecided(self) -> int | None:
        """Return the `at` of the oldest input that was fetched and not decided."""
        head = self._head() if self._core is not None else None
        return None if head is None else head[0]

    # --- owning

    def drop(self) -> None:
        """Forget everything but the declaration; the next step recovers from the log."""
        self._core = None
        self._claim = None
        self._buffers.clear()

    def resume(self) -> None:
        """Try again where a bug stopped the partition: the next step reads the log and decides that input anew."""
        self.stopped = None
        self.drop()

    async def recover(self) -> None:
        """Claim the partition and rebuild its state: fence first, then read (kafka.md, rule 1)."""
        self.drop()
        claim = await self.store.claim(self.service.log, self.index)
        topics = (self.service.log, *self.service.topics)
        incarnations = await self.store.incarnations(topics, self.index)
        with collector.paused():
            core, start = await self._from_snapshot(incarnations)
            self._snapshot_at = start
            ends = await self.store.end_offsets(self.index, [self.service.log], committed=True)
            self.recovered_events, self.recovery_end = 0, ends[self.service.log]
            async for records in self.store.replay(self.service.log, self.index, start):
                for record in records:
                    core.apply(record)
                self.recovered_events += len(records)
                start = records[-1].offset + 1
        self._core, self._claim = core, claim
        self._committed_log = start
        self._buffers = {topic: deque() for topic in self.service.topics}
        self._fetched = dict(core.next_offsets)
        self._watermarks = dict.fromkeys(self.service.topics, 0)
        self._asked = dict.fromkeys(self.service.topics, -1)
        self._ends = _Ends()

    async def _from_snapshot(self, incarnations: Mapping[str, str]) -> tuple[Partition, int]:
        """Return the partition as its snapshot has it, or an empty one, and from where on its log is to be read."""
        release = fingerprint(self.service)
        if self.snapshots:
            core = Partition(self.space, self.service, self.index, incarnations, release)
            start = read_snapshot(self.snapshots, core)
            if start and await self._stands(core, start):
                return core, start
            if start:
                _log.warning("snapshot of another history, reading the whole log", path=str(self.snapshots))
        return Partition(self.space, self.service, self.index, incarnations, release), 0

    async def _stands(self, core: Partition, start: int) -> bool:
        """Tell whether the log before `start` ends as a snapshot says: it may have been restored from a backup."""
        async for records in self.store.replay(self.service.log, self.index, start - 1):
            return ("ce_chain", core.chain.hex().encode()) in records[0].headers
        return False

    def snapshot(self, *, every: int = 1) -> None:
        """Write a snapshot when the log has grown by `every` records since the last; only between steps."""
        if self.snapshots is None or self._core is None or self._core.unfinished is not None:
            return
        if self._committed_log >= self._snapshot_at + every:
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
        fates: list[str] = []
        inputs_max = 1 if self._too_large else self.limits.inputs_max
        until = self.store.now() + self.limits.deciding_ms_max
        while decided < inputs_max and len(effects) < self.limits.records_max:
            if effects.bytes >= self.limits.bytes_max or self.store.now() > until:
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
            fates.append(_fate(decision))
            decided += 1
            if decision.more:
                break
        core.flush(effects)
        committed = await self._commit(effects, decided)
        if committed:
            self.fates.update(filter(None, fates))
        if bug is not None and committed:
            self.stopped = bug
            raise bug
        return self._progress(decided if committed else 0)

    def _progress(self, decided: int) -> Progress:
        if self._core is None:
            return Progress(decided, more=True)
        closing = self._closing()
        behind = any(
            not buffer and self._fetched[topic] < max(self._watermarks[topic], self._ends.offsets.get(topic, 0))
            for topic, buffer in self._buffers.items()
        )
        ready = any(self._buffers.values()) and not self._waiting(closing)
        return Progress(decided, more=decided > 0 or behind or ready, due=closing.fires_at if closing else None)

    def _waiting(self, closing: _Closing | None) -> bool:
        """Tell whether the next input has to wait for a deadline that may not fire yet."""
        head = self._head()
        if closing is None or head is None or head[0] < closing.instant:
            return False
        return self.store.now() < closing.fires_at

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
            self._asked[topic] = self._generation

    async def _commit(self, effects: Effects, decided: int) -> bool:
        """Commit; tell whether it is known to have happened."""
        if not effects.log and not effects.sends and not decided:
            return True
        assert self._claim is not None
        core = self.partition
        outcome, log_end = await self.store.commit(self._claim, effects.log, effects.sends, dict(core.next_offsets))
        self.outcome = outcome
        if outcome is Outcome.OK:
            self._committed_log = max(self._committed_log, log_end)
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
        core, best = self.partition, None
        for topic in self.service.topics:
            buffer = self._buffers[topic]
            if buffer:
                generation, record = buffer[0]
                at = core.instant(record)
                if best is None or at < best[0]:
                    best = (at, topic, generation, record)
        return best

    def _blocked(self) -> bool:
        """Tell whether a topic may still hold an undecided record that was not fetched, as far as is known by now."""
        for topic, buffer in self._buffers.items():
            if not buffer and (self._fetched[topic] < self._watermarks[topic] or self._asked[topic] < self._generation):
                return True
        return False

    async def _choose(self) -> tuple[str, Decision | Exception] | None:
        """Choose what is decided next and decide it; None when nothing may be decided before more is fetched."""
        if self.partition.unfinished is not None:
            begun = self._buffers[self.service.inbox]
            return await self._input(*begun[0]) if begun else None
        head = self._head()
        soonest = self.partition.soonest()
        if soonest is not None and (head is None or head[0] >= soonest[0]):
            closing = self._closing()
            if closing is not None and (head is None or head[0] >= closing.instant):
                if self.store.now() < closing.fires_at:
                    return None
                return self._fire(closing) if await self._settled(self._generation, closing.fires_at) else None
        return None if head is None else await self._input(head[2], head[3])

    async def _input(self, generation: int, record: Record) -> tuple[str, Decision | Exception] | None:
        """Decide an input; None when a refusal may not be final before more is fetched."""
        position = record.position
        try:
            decision = self.partition.decide(record)
        except Exception as error:  # noqa: BLE001 - whatever a decider raises is a bug of its, named and kept
            return position, error
        if decision.refusal is not None and not await self._settled(generation, 0):
            return None
        return position, decision

    def _closing(self) -> _Closing | None:
        """Return the deadline that counts next.

        One that is late counts at an instant up to which everything stamped is there, and after all that was decided:
        what was stamped since its due time may be among that. By clocks that differ, an owner before this one may have
        seen it late already; so close to that limit, when something stamped since was decided, or a deadline that came
        after it has fired, it is left open until it is late for certain.
        """
        core, late = self.partition, self.space.late
        certain, decided_until = self.store.now() - self.space.skew, max(core.last_at.values())
        soonest = core.soonest(late_before=certain - late, late_instant=max(certain, decided_until + 1))
        if soonest is None:
            return None
        instant, key, deadline = soonest
        fires_at = instant + self.space.skew
        is_passed = decided_until >= instant or core.fired_at > instant
        if instant == deadline.due and is_passed and certain - instant > late - self.space.skew:
            fires_at += late + 1
        return _Closing(instant, key, deadline, fires_at)

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

    def _fire(self, closing: _Closing) -> tuple[str, Decision | Exception]:
        instant, key, deadline, _ = closing
        position = f"{self.service.log}/{self.index} {key} deadline {deadline.name}"
        try:
            return position, self.partition.fire(key, deadline, instant)
        except Exception as error:  # noqa: BLE001 - as above
            return position, error

    def _taken(self, decision: Decision) -> None:
        if decision.topic and not decision.more:
            self._buffers[decision.topic].popleft()

    # --- operators

    async def pass_input(self, topic: str, offset: int, *, operator: str, reason: str) -> None:
        """Set the next undecided input of a topic aside, whatever it is; raises ValueError when it is not the next."""
        await self.recover()
        core = self.partition
        following = max(core.next_offsets[topic], 1)
        records: Sequence[Record] = ()
        while not records:
            fetched = (await self.store.fetch(self.index, {topic: following}, 1))[topic]
            following, records = fetched.next, fetched.records
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
        self.resume()
