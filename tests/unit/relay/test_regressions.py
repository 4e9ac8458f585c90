"""What the simulation found: each of these once went wrong."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Self

import orjson
import pytest

from schemas.envelope import Outgoing, Position, Record
from services.kernel.clock import VirtualClock
from services.kernel.engine import Engine
from services.kernel.memory_store import MemoryStore
from services.kernel.space import Space
from services.kernel.store import Fetched
from services.kernel.verify import RELAYED
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


class SlowStore(InterruptedStore):
    """Answers as a broker may: with nothing at first, then with no more than `short` records at a time."""

    short = 1
    late = True

    async def fetch(self, partition: int, positions: Mapping[str, int], records_max: int) -> Mapping[str, Fetched]:
        self.late = not self.late
        found = await super().fetch(partition, positions, records_max if not self.late else 0)
        return {
            topic: Fetched(records, start + len(records), fetched.end)
            for (topic, start), fetched in zip(positions.items(), found.values(), strict=True)
            for records in [fetched.records[: self.short]]
        }


def tell_size(_: Space, group: Sequence[Record]) -> list[Outgoing]:
    """Publish how many records there are of an input."""
    name = f"{group[0].offset}: {len(group)}"
    return [Outgoing(OUT, 0, name.encode(), b"{}", (("ce_id", stable_id(name).encode()),))]


@pytest.mark.parametrize("short", range(2, 6))
def test_a_fetch_that_ends_within_what_one_input_caused_publishes_all_of_it_together(short: int) -> None:
    """Fewer records than asked for were taken for all there is: two outcomes of one input, of a part each."""
    store = SlowStore.empty()
    store.short = short
    log = [Outgoing(TILL.log, 0, b"till/a", b"{}", (("ce_input", f"coins/{n // 2}".encode()),)) for n in range(12)]

    async def run() -> None:
        await store.append(log)
        relay = Relay(SPACE, store, OUT, tell_size, [TILL.log], 0)
        for _ in range(60):
            await relay.step()

    asyncio.run(run())
    assert [record.key for record in store.records[OUT, 0][1:]] == [b"%d: 2" % offset for offset in range(1, 13, 2)]


def test_a_relay_that_begins_again_waits_for_its_last_record() -> None:
    """An answer without it was taken for an output without records: everything was published once more."""
    store = SlowStore.empty()
    store.short = 100

    async def run() -> int:
        await store.append([Outgoing(TILL.log, 0, b"till/a", b"{}", (("ce_input", b"coins/1"),))])
        relay = Relay(SPACE, store, OUT, tell_size, [TILL.log], 0)
        while not await relay.step():
            pass
        relay.drop()
        store.late = False
        for _ in range(4):
            await relay.step()
        return len(store.records[OUT, 0]) - 1

    assert asyncio.run(run()) == 1


def test_a_relay_that_reads_fewer_logs_than_the_one_before__goes_on_where_that_was() -> None:
    """The last record says how far every log was read by then: what this relay does not read was asked for, too."""
    store = InterruptedStore.empty()

    def told(log: str, number: int) -> Outgoing:
        return Outgoing(log, 0, b"till/a", b"{}", (("ce_input", b"coins/%d" % number),))

    async def run() -> None:
        await store.append([told(TILL.log, 1), told("bank.inbox", 2)])
        await Relay(SPACE, store, OUT, tell_size, [TILL.log, "bank.inbox"], 0).step()
        await store.append([told(TILL.log, 3)])
        fewer = Relay(SPACE, store, OUT, tell_size, [TILL.log], 0)
        while await fewer.step():
            pass

    asyncio.run(run())
    _, *published = store.records[OUT, 0]
    assert [record.key for record in published] == [b"1: 1", b"1: 1", b"2: 1"]
    assert orjson.loads(dict(published[-1].headers)[RELAYED]) == {TILL.log: 3}
