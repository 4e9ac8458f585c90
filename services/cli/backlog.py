"""What a partition has not decided yet, and whether the next of it stops the partition: found by reading alone."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from schemas.envelope import Record
from services.cli.data import SpaceStore
from services.kernel.decider import DecisionService
from services.kernel.engine import PartitionStoppedError
from services.kernel.fingerprint import fingerprint
from services.kernel.partition import Effects, Partition
from services.kernel.space import Space
from services.kernel.verify import where_is


class Undecided(NamedTuple):
    """Undecided inputs of one topic partition: how many, and when the oldest was appended."""

    inputs: int
    oldest_at: int


class Backlog(NamedTuple):
    """What one partition of one service has not decided, by `topic/partition`, and what stops it."""

    undecided: Mapping[str, Undecided]
    stopped: PartitionStoppedError | None


async def read_backlog(space: Space, store: SpaceStore, service: DecisionService[Any], partition: int) -> Backlog:
    """Rebuild a partition from its log, and decide what comes next without keeping it."""
    incarnations = await store.incarnations((service.log, *service.topics), partition)
    core = Partition(space, service, partition, incarnations, fingerprint(service))
    async for records in store.replay(service.log, partition, 0):
        for record in records:
            try:
                core.apply(record)
            except Exception as error:  # noqa: BLE001 - whatever a damaged record makes the code raise
                return Backlog({}, PartitionStoppedError(where_is(record), error))
    heads: list[Record] = []
    undecided = {}
    ends = await store.end_offsets(partition, service.topics, committed=True)
    for topic, end in ends.items():
        start = max(core.next_offsets[topic], 1)
        if start >= end:
            continue
        # Counted, not subtracted: on Kafka the ends of transactions have offsets too.
        count, head = 0, None
        async for records in store.read(topic, partition, start):
            head = head or records[0]
            count += len(records)
        if head is not None:
            heads.append(head)
            undecided[f"{topic}/{partition}"] = Undecided(count, head.timestamp)
    return Backlog(undecided, _stopped(core, heads, store.now()))


def _stopped(core: Partition, heads: list[Record], now: int) -> PartitionStoppedError | None:
    head = min(heads, key=core.instant, default=None)
    earliest = core.earliest()
    if earliest is not None and earliest[1].due + core.space.skew <= now:
        key, deadline = earliest
        if head is None or core.instant(head) >= deadline.due:
            try:
                core.accept(core.fire(key, deadline, deadline.due), Effects())
            except Exception as error:  # noqa: BLE001 - what stops a partition is a bug, of whatever kind
                return PartitionStoppedError(f"{core.service.log}/{core.index} {key} deadline {deadline.name}", error)
            return None
    if head is not None:
        try:
            core.accept(core.decide(head), Effects())
        except Exception as error:  # noqa: BLE001 - as above
            return PartitionStoppedError(where_is(head), error)
    return None
