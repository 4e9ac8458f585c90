"""The relay's loop: reads committed logs of one partition number, publishes to one topic, remembers nothing.

Each published record says in `ce_relayed` how far every log was read when it was written, so that the last record of
the output partition is all a restart has to read. What was written but not yet known as written is written again:
delivery is at least once, and a repeat has the same id and content.
"""

from collections.abc import Sequence

import orjson

from schemas.envelope import Outgoing, Record
from services.kernel.space import Space
from services.kernel.store import Store
from services.kernel.verify import RELAYED, Publish, groups


class Relay:
    """Publishes the logs of one partition number to one topic."""

    def __init__(
        self,
        space: Space,
        store: Store,
        topic: str,
        publish: Publish,
        logs: Sequence[str],
        partition: int,
        *,
        fetch_max: int = 2_000,
    ) -> None:
        self.space = space
        self.store = store
        self.topic = topic
        self.publish = publish
        self.logs = tuple(logs)
        self.partition = partition
        self.fetch_max = fetch_max
        self._read: dict[str, int] | None = None

    def drop(self) -> None:
        """Forget how far it read; the next step finds it in the output."""
        self._read = None

    async def _recover(self) -> dict[str, int]:
        read = dict.fromkeys(self.logs, 0)
        end = (await self.store.end_offsets(self.partition, [self.topic], committed=True))[self.topic]
        if end == 0:
            return read
        answer = await self.store.fetch(self.partition, {self.topic: end - 1}, 1)
        for record in answer[self.topic].records:
            progress = dict(record.headers).get(RELAYED)
            if progress is not None:
                read.update(orjson.loads(progress))
        return read

    async def step(self) -> int:
        """Publish what one fetch brings; return how many log records were read."""
        read = self._read if self._read is not None else await self._recover()
        self._read = None
        answer = await self.store.fetch(self.partition, read, self.fetch_max)
        records: list[Outgoing] = []
        count = 0
        for log in self.logs:
            fetched = answer[log]
            whole = self._whole(fetched.records, fetched.next >= fetched.end)
            for group in groups(whole):
                before, read = read, {**read, log: group[-1].offset + 1}
                published = self.publish(self.space, group) if group[0].offset else ()
                # Only the last record of a group says that the group is read: an append may stop half-way.
                for number, record in enumerate(published, 1):
                    progress = (RELAYED, orjson.dumps(read if number == len(published) else before))
                    records.append(record._replace(headers=(*record.headers, progress)))
            count += len(whole)
        if records:
            await self.store.append(records)
        self._read = read
        return count

    def _whole(self, records: Sequence[Record], at_end: bool) -> Sequence[Record]:  # noqa: FBT001
        """Leave the last group for the next fetch when a full fetch may have cut it."""
        if at_end or len(records) < self.fetch_max:
            return records
        last = len(groups(records)[-1])
        return records[: len(records) - last] if last < len(records) else records
