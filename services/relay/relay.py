"""The relay's loop: reads committed logs of one partition number, publishes to one topic, remembers nothing.

Each published record says in `ce_relayed` how far every log was read when it was written, so that the last record of
the output partition is all a restart has to read. What was written but not yet known as written is written again:
delivery is at least once, and a repeat has the same id and content.
"""

from collections.abc import Sequence

import orjson

from schemas.envelope import Outgoing, Record
from services.kernel.space import Space
from services.kernel.store import Fetched, Store, StoreError
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
        # Where a fetch goes on: beyond what ends a transaction, too, which is no record.
        self._fetch_from: dict[str, int] = {}
        self._alone: dict[str, tuple[int, int]] = {}

    def drop(self) -> None:
        """Forget how far it read; the next step finds it in the output."""
        self._read = None

    async def _recover(self) -> dict[str, int]:
        read = dict.fromkeys(self.logs, 0)
        end = (await self.store.end_offsets(self.partition, [self.topic], committed=True))[self.topic]
        if end == 0:
            return read
        progress = dict((await self._last(end - 1)).headers).get(RELAYED)
        if progress is not None:
            # An earlier release may have read more logs than this one needs.
            read.update((log, offset) for log, offset in orjson.loads(progress).items() if log in read)
        return read

    async def _last(self, offset: int) -> Record:
        """Return the last record of the output, which is there: an empty answer only means that it is not here yet."""
        while True:
            fetched = (await self.store.fetch(self.partition, {self.topic: offset}, 1))[self.topic]
            if fetched.records:
                return fetched.records[0]
            if fetched.next > offset:
                text = f"{self.topic}/{self.partition}/{offset} holds no record: only relays may write there"
                raise StoreError(text)

    async def step(self) -> int:
        """Publish what one fetch brings; return how many log records were read."""
        read = self._read
        if read is None:
            read = await self._recover()
            self._fetch_from = dict(read)
        self._read = None
        answer = await self.store.fetch(self.partition, self._fetch_from, self.fetch_max)
        following = {}
        records: list[Outgoing] = []
        count = 0
        for log in self.logs:
            fetched = answer[log]
            whole = self._whole(log, fetched)
            cut = len(whole) < len(fetched.records)
            following[log] = fetched.records[len(whole)].offset if cut else fetched.next
            for group in groups(whole):
                before, read = read, {**read, log: group[-1].offset + 1}
                published = self.publish(self.space, group) if group[0].offset else ()
                # Only the last record of a group says that the group is read: an append may stop half-way.
                for number, record in enumerate(published, 1):
                    progress = (RELAYED, orjson.dumps(read if number == len(published) else before))
                    records.append(record._replace(headers=(*record.headers, progress)))
            count += len(whole) or len(fetched.records)
        if records:
            await self.store.append(records)
        self._read, self._fetch_from = read, following
        return count

    def _whole(self, log: str, fetched: Fetched) -> Sequence[Record]:
        """Leave the last group for the next fetch when its rest may not be here: a fetch ends where it likes to.

        It is all there at the end, and where the fetch has passed what ends a transaction and is no record.
        """
        records = fetched.records
        if not records or fetched.next >= fetched.end or fetched.next > records[-1].offset + 1:
            return records
        whole = records[: len(records) - len(groups(records)[-1])]
        if whole:
            return whole
        # A fetch that begins with a group brings all of it: what comes again as it was is not cut.
        before, self._alone[log] = self._alone.get(log), (records[0].offset, len(records))
        return records if self._alone[log] == before else ()
