"""What runs in a process: engines of a decision service, relays, or projectors, for the partitions it is given."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import Histogram

from schemas.topics import OUTCOMES
from services.kernel.engine import Engine
from services.kernel.kafka.membership import Membership
from services.kernel.kafka.process import EngineSubject, Process, Subject, pace
from services.kernel.kafka.settings import KafkaSettings
from services.kernel.kafka.store import KafkaStore
from services.kernel.space import Space
from services.registry import RELAY, VIEWS, decision_service
from services.relay.publish import PUBLISHES, READS
from services.relay.relay import Relay

if TYPE_CHECKING:
    from services.views.projector import Projector

_IDLE_MAX_S = 5.0


@dataclass(frozen=True, slots=True)
class Running:
    """Which service of which space runs here, over which cluster.

    `instance` is the name of a static member of its group: never the same in two living processes. `snapshots` is a
    folder of this machine; without one, every start reads the whole log. `database` is the URL of the read model.
    """

    service: str
    space: Space
    settings: KafkaSettings
    instance: str | None = None
    snapshots: Path | None = None
    database: str = ""


class RelaySubject:
    """The relays of one partition, each over a store of its own: they read logs at their own pace."""

    def __init__(self, relays: Sequence[Relay], stores: Sequence[KafkaStore]) -> None:
        self._relays = relays
        self._stores = stores
        self._started = False
        self.published = 0

    @property
    def waits_for(self) -> str:
        """Say whether it has found where it left off."""
        return "" if self._started else "the last record that was published"

    async def step(self) -> float:
        """Publish what is there; a relay that fails begins again from its output."""
        began, count = time.perf_counter(), 0
        for relay in self._relays:
            count += await relay.step()
        self._started = True
        self.published += count
        if not count:
            return _IDLE_MAX_S
        await pace(began, count)
        return 0.0

    async def arrival(self, timeout_s: float) -> None:
        """Wait for log records."""
        waits = [asyncio.ensure_future(store.arrival(timeout_s)) for store in self._stores]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def close(self) -> None:
        """Close the stores."""
        await asyncio.gather(*(store.close() for store in self._stores))


class ViewsSubject:
    """The projector of one partition, over a store of its own; the database is the process's."""

    def __init__(self, projector: "Projector", store: KafkaStore) -> None:
        self._projector = projector
        self._store = store
        self._caught_up = False

    @property
    def waits_for(self) -> str:
        """Say whether it has folded what was in the logs when it began."""
        return "" if self._caught_up else "the read model, which is behind the logs"

    async def step(self) -> float:
        """Fold what is there; a projector that fails begins again from the database."""
        began = time.perf_counter()
        if not self._projector.is_ready:
            await self._projector.model.prepare()
        count = await self._projector.step()
        # A projector that begins again, as after an error, does not take back that the process is ready.
        self._caught_up = self._caught_up or self._projector.is_caught_up
        if not count:
            return _IDLE_MAX_S
        await pace(began, count)
        return 0.0

    async def arrival(self, timeout_s: float) -> None:
        """Wait for log records."""
        await self._store.arrival(timeout_s)

    async def close(self) -> None:
        """Close the store."""
        await self._store.close()


def assemble(running: Running, transactions: Histogram) -> Process:
    """Put a process together; nothing runs yet. All topics have the same partitions: its group shares out one's."""
    make = {RELAY: _relays, VIEWS: _projectors}.get(running.service, _engines)
    topic, subjects = make(running, transactions)
    space = running.space.name
    group = f"{space}.{running.service}"
    return Process(running.service, Membership(running.settings, group, f"{space}.{topic}", running.instance), subjects)


Made = tuple[str, Callable[[int], Subject]]
"""The topic by which partitions are shared out, and what makes the subject of one."""


def _store(running: Running, observe: Callable[[float], None] = lambda _: None) -> KafkaStore:
    return KafkaStore(running.space.name, running.space.partitions, running.settings, observe=observe, waits=True)


def _relays(running: Running, _transactions: Histogram) -> Made:
    def subject(partition: int) -> RelaySubject:
        stores = [_store(running) for _ in PUBLISHES]
        made = [
            Relay(running.space, own, topic, publish, READS[topic], partition)
            for own, (topic, publish) in zip(stores, PUBLISHES.items(), strict=True)
        ]
        return RelaySubject(made, stores)

    return OUTCOMES, subject


def _projectors(running: Running, _transactions: Histogram) -> Made:
    # Only this process needs SQL: the others start without it.
    from services.views.database import Database
    from services.views.model import ReadModel
    from services.views.projector import Projector

    model = ReadModel(Database(running.database), running.space.name)

    def subject(partition: int) -> ViewsSubject:
        own = _store(running)
        return ViewsSubject(Projector(running.space, model, own, partition), own)

    return model.logs[0], subject


def _engines(running: Running, transactions: Histogram) -> Made:
    service = decision_service(running.service)

    def subject(partition: int) -> EngineSubject:
        own = _store(running, transactions.observe)
        return EngineSubject(Engine(running.space, service, own, partition, snapshots=running.snapshots), own)

    return service.log, subject
