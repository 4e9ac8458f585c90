"""A stage on Apache Kafka: new topics, a process for each service, and the wall's clock."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import IO

from schemas.envelope import Outgoing, Position
from schemas.instants import SECOND
from services.cli.console import FINE, Console, OperationRefusedError
from services.cli.data import DataDirectory, NewSpace, open_kafka
from services.cli.demo.calendar import Calendar, Hurried
from services.cli.demo.processes import Services
from services.cli.demo.seen import Seen
from services.cli.demo.stage import PARTITIONS, root_key
from services.cli.topics import Asked, apply
from services.kernel.export import write_export
from services.kernel.kafka.store import KafkaStore
from services.kernel.space import Space
from services.registry import TOPIC_NAMES, new_space

_SKEW_MS = 200
"""By how much clocks may differ. The default's two seconds would be a day here."""
_POLL_S = 0.03
_SILENCE_S, _SILENCE_DAYS = 120, 5
"""After how long without anything new, longer than any window lasts, a service does not do what it should."""
_LOOK = "with --data DIR, DIR/logs has what each service says of itself"


async def create_space(data: DataDirectory, name: str) -> Space:
    """Create a space with its topics; raises OperationRefusedError."""
    space = replace(new_space(name, PARTITIONS, root_key()), skew=_SKEW_MS)
    async with data.cluster() as cluster:
        reading = await cluster.clock()
    behind, ahead = reading.before - reading.theirs, reading.theirs - reading.after
    if max(behind, ahead) > _SKEW_MS // 2:
        text = f"the cluster's clock and this machine's differ by {max(behind, ahead)} ms"
        raise OperationRefusedError(text, f"synchronise them (NTP): windows last seconds here, and {_SKEW_MS} ms count")
    data.describe(space)
    console = _Kept()
    if await apply(data, Asked(NewSpace()), console) != FINE:
        raise OperationRefusedError("the topics are not as they must be", "\n".join(console.said))
    return space


class _Kept(Console):
    """Keeps what would be said."""

    def __init__(self) -> None:
        super().__init__(as_json=False)
        self.said: list[str] = []

    def put(self, _content: object, *text: str) -> None:
        """Keep it."""
        self.said += text


class KafkaStage:
    """A space on a cluster, with its services running; the clock is the wall's."""

    def __init__(self, data: DataDirectory, space: Space, services: Services, day_s: int) -> None:
        self.space = space
        self._services = services
        self._store: KafkaStore = open_kafka(space, data.settings())
        self._behind_ms = 0
        self._heard = time.monotonic()
        self._posted: set[str] = set()
        self.calendar: Calendar = Hurried(0, day_s)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, data: DataDirectory, space: Space, services: Services, day_s: int
    ) -> AsyncIterator["KafkaStage"]:
        """Open it; the first day begins now."""
        stage = cls(data, space, services, day_s)
        try:
            async with data.cluster() as cluster:
                reading = await cluster.clock()
            stage._behind_ms = max(reading.after - reading.theirs, 0)
            await Seen(stage.calendar, space.partitions).read(stage._store)  # connects to everything
            stage.calendar = Hurried(stage.now(), day_s)
            yield stage
        finally:
            await stage._store.close()

    def now(self) -> int:
        """Return the least that the cluster's clock may show now: whatever is posted is stamped with it, or later."""
        return time.time_ns() // 1_000_000 - self._behind_ms

    async def put(self, records: Sequence[Outgoing]) -> list[Position]:
        """Post public inputs, as outsiders do."""
        positions = await self._store.append(records)
        self._posted |= {str(position) for position in positions}
        return positions

    async def read(self, seen: Seen) -> bool:
        """Read what is there; no outsider has to know more than that, but the story ends when all is quiet."""
        before = seen.records
        quiet = await seen.read(self._store)
        now = time.monotonic()
        if seen.records > before:
            self._heard = now
        self._services.check()
        silence_s = _SILENCE_S + _SILENCE_DAYS * self.calendar.day / SECOND
        if now - self._heard > silence_s:
            raise OperationRefusedError(f"nothing has happened for {silence_s:.0f} s", _LOOK)
        return quiet and self._posted <= seen.outcomes.keys()

    async def wait(self, until: int | None) -> None:
        """Wait a moment."""
        left = _POLL_S if until is None else (until - self.now()) / 1_000
        await asyncio.sleep(max(min(left, _POLL_S), 0.001))

    async def export(self, file: IO[bytes]) -> None:
        """Export everything."""
        await write_export(self.space, TOPIC_NAMES, self._store, file)
