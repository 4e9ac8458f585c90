"""A whole space in one process: every decision service and the relay over one local store.

`demo` and the tests run it on a virtual clock, `up` on the wall's. It only drives; what is decided, and in which
order, is the engines' to say.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.envelope import Outgoing, Position, Record
from services.kernel.clock import VirtualClock
from services.kernel.engine import Engine, Limits, PartitionStoppedError
from services.kernel.partition import Partition
from services.kernel.space import Space
from services.kernel.store import Store
from services.kernel.verify import log_hash
from services.registry import decision_services
from services.relay.publish import PUBLISHES, READS
from services.relay.relay import Relay


class Embedded:
    """All engines and relays of a space over one store of this process."""

    def __init__(
        self, space: Space, store: Store, *, snapshots: Path | None = None, limits: Limits | None = None
    ) -> None:
        self.space = space
        self.store = store
        self.engines = {
            (service.name, partition): Engine(space, service, store, partition, limits=limits, snapshots=snapshots)
            for service in decision_services()
            for partition in range(space.partitions)
        }
        self.relays = [
            Relay(space, store, topic, publish, READS[topic], partition)
            for topic, publish in PUBLISHES.items()
            for partition in range(space.partitions)
        ]
        self.stopped: list[PartitionStoppedError] = []

    async def put(self, records: Sequence[Outgoing]) -> list[Position]:
        """Append public inputs; durable when it returns."""
        return await self.store.append(records)

    async def round(self) -> tuple[bool, bool, int | None]:
        """Step everything once: whether anything moved, whether anything is held up, and the next due time."""
        moved, held, due = False, False, None
        for engine in self.engines.values():
            if engine.stopped is not None:
                continue
            try:
                progress = await engine.step()
            except PartitionStoppedError as error:
                self.stopped.append(error)
                moved = True
                continue
            moved = moved or progress.decided > 0
            held = held or progress.more
            if progress.due is not None:
                due = progress.due if due is None else min(due, progress.due)
        for relay in self.relays:
            moved = await relay.step() > 0 or moved
        return moved, held, due

    async def settle(self) -> int | None:
        """Run until nothing is left to do at this moment; return when something falls due next."""
        while True:
            moved, held, due = await self.round()
            if not moved and not held:
                return due

    async def run_to(self, clock: VirtualClock, instant: int) -> None:
        """Move a virtual clock to an instant, stopping at everything that falls due before it."""
        while True:
            due = await self.settle()
            if due is None or due > instant:
                break
            clock.advance_to(due)
        clock.advance_to(instant)
        await self.settle()

    def partition(self, service: str, partition: int) -> Partition:
        """Return the pure middle of one engine."""
        return self.engines[service, partition].partition

    def log_hash(self) -> str:
        """Return the hash that names the state of all logs."""
        return log_hash(
            {(engine.service.log, engine.index): engine.partition.chain for engine in self.engines.values()}
        )


async def read_topic(store: Any, topic: str, partitions: int) -> list[Record]:  # noqa: ANN401 - any local store
    """Read a whole topic, partition by partition, without its markers."""
    records: list[Record] = []
    for partition in range(partitions):
        async for chunk in store.read(topic, partition, 1):
            records += chunk
    return records
