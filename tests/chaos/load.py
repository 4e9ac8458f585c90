"""A steady load: so many inputs a second, whatever happens, and none given up."""

import asyncio
import time
from collections import Counter

from schemas.envelope import Outgoing
from services.kernel.kafka.settings import KafkaSettings
from services.kernel.kafka.store import KafkaStore
from services.kernel.store import StoreError
from tests.chaos.stream import Stream

RATE = 320
"""Inputs a second; the requirement is 300, and what is sent last is acknowledged late."""
_TICK_S = 0.05
_TOGETHER = 2_000
_AGAIN_S = 0.2


class Load:
    """Sends a stream at a rate; what the cluster did not take in time is sent once it does."""

    def __init__(self, stream: Stream, settings: KafkaSettings, rate: int = RATE) -> None:
        self.stream = stream
        self.rate = rate
        self.sent: Counter[str] = Counter()
        self.again = 0
        self.seconds = 0.0
        self._settings = settings
        self._store = KafkaStore(stream.space.name, stream.space.partitions, settings)

    @property
    def count(self) -> int:
        """How many inputs were acknowledged."""
        return self.sent.total()

    async def run(self) -> None:
        """Send until cancelled; once nothing new is wanted, only what is called for."""
        began = time.monotonic()
        while True:
            now = time.monotonic()
            if self.stream.is_new_wanted:
                self.seconds = now - began
                due = int(self.seconds * self.rate) - self.count
            else:
                due = _TOGETHER
            records = self.stream.take(min(due, _TOGETHER), now) if due > 0 else []
            if records:
                await self.send(records)
            else:
                await asyncio.sleep(_TICK_S)

    async def send(self, records: list[Outgoing]) -> None:
        """Append inputs, again and again until all are acknowledged: what was stored without our knowing is twice."""
        while True:
            try:
                await self._store.append(records)
            except (StoreError, OSError):
                self.again += len(records)
                await asyncio.sleep(_AGAIN_S)
            else:
                self.sent.update(record.topic for record in records)
                return

    async def close(self) -> None:
        """Close the connection."""
        await self._store.close()
