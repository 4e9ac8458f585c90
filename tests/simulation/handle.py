"""A process's view of the world: its own clock, and store calls at which it can be held up, fail or die."""

from collections.abc import AsyncIterator, Generator, Mapping, Sequence

from schemas.envelope import Outgoing, Position, Record
from services.kernel.store import Claim, Committed, Fetched, Outcome
from tests.simulation.faults import Faults
from tests.simulation.world import Transaction, World


class Crash(BaseException):
    """The process is gone: nothing of it may run after this."""


class StoreFailure(OSError):
    """A store call went wrong, and the process lives on."""


class _Pause:
    """Hands control to the scheduler, once."""

    def __await__(self) -> Generator[None, None, None]:
        yield


_PAUSE = _Pause()


class Handle:
    """The store as one process has it.

    It notes when each record was fetched and when ends were looked at, in numbers of records that had been appended
    anywhere by then, so that a law can say what the process must have known.
    """

    def __init__(self, world: World, faults: Faults, process: str) -> None:
        self.world = world
        self.faults = faults
        self.process = process
        self._fetched: dict[tuple[str, int], tuple[int, int]] = {}
        self._looks: list[tuple[int, int, int]] = []
        self._calls = 0

    def fetched_with(self, topic: str, offset: int) -> int:
        """Return how much had been appended when a record was fetched."""
        return self._fetched[topic, offset][1]

    def looked_after(self, topic: str, offset: int) -> int | None:
        """Return how much had been appended when ends were first looked at after a record was fetched."""
        fetched = self._fetched[topic, offset][0]
        return next((appended for call, appended, _ in self._looks if call > fetched), None)

    def looked_at(self, instant: int) -> bool:
        """Tell whether ends were looked at when its own clock showed an instant, or a later one."""
        return any(now >= instant for _, _, now in self._looks)

    def now(self) -> int:
        return self.world.now() + self.world.clock_offset(self.process)

    async def _point(self, moment: str) -> None:
        """Pass a moment at which something may go wrong."""
        if self.faults.tell is not None:
            self.faults.tell(self.process, moment)
        if self.faults.strikes("pause"):
            await _PAUSE
        if self.faults.strikes("crash", moment):
            raise Crash(moment)
        if self.faults.strikes("failure", moment):
            raise StoreFailure(moment)

    async def incarnations(self, topics: Sequence[str], partition: int) -> Mapping[str, str]:
        await self._point("before incarnations")
        return await self.world.incarnations(topics, partition)

    async def claim(self, log: str, partition: int) -> Claim:
        await self._point("before claim")
        claim = await self.world.claim(log, partition)
        self._fetched.clear()
        self._looks.clear()
        await self._point("after claim")
        return claim

    async def replay(self, log: str, partition: int, start: int) -> AsyncIterator[Sequence[Record]]:
        async for records in self.world.replay(log, partition, start):
            await self._point("in replay")
            yield records

    async def fetch(self, partition: int, positions: Mapping[str, int], records_max: int) -> Mapping[str, Fetched]:
        await self._point("before fetch")
        fetched = await self.world.fetch(partition, positions, records_max)
        self._calls += 1
        moment = (self._calls, self.world.appended)
        for topic, answer in fetched.items():
            self._fetched.update(((topic, record.offset), moment) for record in answer.records)
        await self._point("after fetch")
        return fetched

    async def end_offsets(self, partition: int, topics: Sequence[str], *, committed: bool) -> Mapping[str, int]:
        await self._point("before end offsets")
        now = self.now()
        ends = await self.world.end_offsets(partition, topics, committed=committed)
        self._calls += 1
        self._looks.append((self._calls, self.world.appended, now))
        await self._point("after end offsets")
        return ends

    async def commit(
        self, claim: Claim, log: Sequence[Outgoing], sends: Sequence[Outgoing], offsets: Mapping[str, int]
    ) -> Committed:
        await self._point("before commit")
        if _inputs(log) > 1 and self.faults.strikes("too_large"):
            return Committed(Outcome.TOO_LARGE)
        transaction = Transaction(claim, log, sends, offsets, self)
        if self.faults.strikes("unknown"):
            return await self._unknown(transaction)
        committed = await self.world.carry_out(transaction)
        if committed.outcome is Outcome.FENCED:
            self.faults.note("fenced")
        await self._point("after commit")
        return committed

    async def _unknown(self, transaction: Transaction) -> Committed:
        """Leave open what became of a commit: it happened, it never will, or it still may."""
        what = self.faults.pick(("applied", "lost", "in flight"))
        self.faults.note(f"unknown: {what}")
        if what == "applied":
            await self.world.carry_out(transaction)
        elif what == "in flight":
            self.world.in_flight.append(transaction)
        await self._point("after unknown commit")
        return Committed(Outcome.UNKNOWN)

    async def append(self, records: Sequence[Outgoing]) -> list[Position]:
        """Append, perhaps only the first few: nothing makes several records outside of a transaction one."""
        await self._point("before append")
        if len(records) > 1 and self.faults.strikes("cut"):
            await self.world.append(records[: self.faults.random.randrange(1, len(records))])
            raise self.faults.pick((Crash, StoreFailure))("in append")
        positions = await self.world.append(records)
        await self._point("after append")
        return positions


def _inputs(log: Sequence[Outgoing]) -> int:
    """Count the inputs and deadlines that log records are about."""
    return len({content for record in log for name, content in record.headers if name == "ce_input"})
