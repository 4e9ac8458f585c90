"""What the simulation found: each of these once went wrong."""

import asyncio
from collections.abc import Sequence
from typing import Self

import pytest

from schemas.envelope import Outgoing, Position, Record
from services.kernel.clock import VirtualClock
from services.kernel.engine import Engine
from services.kernel.memory_store import MemoryStore
from services.kernel.space import Space
from services.kernel.wire import input_record, stable_id
from services.relay.relay import Relay
from tests.support.stores import incarnation
from tests.support.toy import TILL, InsertCoin

OUT = "out"
SPACE = Space("toy", 1, owned={"coins": "mint"})


class InterruptedStore(MemoryStore):
    """Writes only the first `kept` records of the next append, then fails."""

    kept: int | None = None

    @classmethod
    def empty(cls) -> Self:
        topics = (*TILL.topics, TILL.log, OUT, "bank.inbox")
        return cls(SPACE.name, topics, SPACE.partitions, VirtualClock(1_700_000_000_000), incarnation)

    async def append(self, records: Sequence[Outgoing]) -> list[Position]:
        if self.kept is None:
            return await super().append(records)
        kept, self.kept = self.kept, None
        await super().append(records[:kept])
        raise OSError("interrupted")


def tell_twice(_: Space, group: Sequence[Record]) -> list[Outgoing]:
    """Publish two records about each group of log records."""
    name = group[0].offset
    return [
        Outgoing(OUT, 0, f"{name}-{part}".encode(), b"{}", (("ce_id", stable_id(name, part).encode()),))
        for part in ("first", "second")
    ]


@pytest.mark.parametrize("kept", range(5))
def test_an_append_that_stops_half_way_loses_nothing(kept: int) -> None:
    """Every record of a group said that the group was read: the rest of a cut group was never written."""
    store = InterruptedStore.empty()
    coins = [InsertCoin(till="a", value_minor=value) for value in (1, 2)]
    records = [
        input_record(
            "coins", 0, coin.key(), id=str(coin.value_minor), source="x", wire=coin.wire, value=coin.to_bytes()
        )
        for coin in coins
    ]
    relay = Relay(SPACE, store, OUT, tell_twice, [TILL.log], 0)

    async def run() -> list[bytes | None]:
        await store.append(records)
        await Engine(SPACE, TILL, store, 0).step()
        store.kept = kept
        with pytest.raises(OSError, match="interrupted"):
            await relay.step()
        await relay.step()
        return [record.key for record in store.records[OUT, 0][1:]]

    published = asyncio.run(run())
    log = store.records[TILL.log, 0][1:]
    assert set(published) == {f"{record.offset}-{part}".encode() for record in log for part in ("first", "second")}
