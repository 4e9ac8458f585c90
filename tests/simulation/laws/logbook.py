"""Laws of one log partition: its order, its chain, and one fate for each input (law 1 of product.md section 13).

They are recomputed from the stored records alone, beside the code that wrote them.
"""

from typing import Any

from schemas.envelope import Position, Record
from services.kernel.decider import DecisionService
from services.kernel.records import InputsPassed, Refused
from services.kernel.space import Space
from services.kernel.wire import genesis, record_digest
from tests.simulation.entries import Entry
from tests.simulation.laws.law import broken, demand
from tests.simulation.world import World


class Logbook:
    """What one log partition has said so far, and how far the inputs are decided that it decides."""

    def __init__(self, space: Space, service: DecisionService[Any], partition: int, world: World) -> None:
        self.space = space
        self.service = service
        self.partition = partition
        self.world = world
        self.chain: bytes | None = None
        self.sequences: dict[str, int] = {}
        self.decided = dict.fromkeys(service.topics, 1)
        """The next undecided offset of each topic; the marker at 0 has no fate."""
        self._last_at = dict.fromkeys(service.topics, 0)
        self._closed_at = 0
        self._before: Position | None = None

    def record(self, record: Record, entry: Entry) -> None:
        """Look at the next record."""
        self._link(record, entry)
        demand(entry, "the sequence", entry.sequence, self.sequences.get(entry.key, 0) + 1)
        self.sequences[entry.key] = entry.sequence
        if not entry.at - self.space.late <= entry.since <= entry.at:
            broken(entry, f"since {entry.since} does not fit at {entry.at}")
        if isinstance(entry.content, InputsPassed):
            for topic_range in entry.content.ranges:
                for passed in topic_range.inputs:
                    place = Position(topic_range.topic, topic_range.incarnation, self.partition, passed.offset)
                    self._decide(entry, place, passed.at)
        elif entry.deadline is not None:
            self._close(entry, entry.deadline[1])
        elif entry.input is not None and entry.input != self._before:
            self._decide(entry, entry.input, entry.at)
        self._before = entry.input

    def _link(self, record: Record, entry: Entry) -> None:
        if self.chain is None:
            incarnation = self.world._incarnations[self.service.log]
            self.chain = genesis(self.space.name, self.service.log, self.partition, incarnation)
        self.chain = record_digest(self.chain, record.key, record.value, record.headers)
        demand(entry, "the chain hash", entry.headers["ce_chain"], self.chain.hex())

    def _decide(self, entry: Entry, position: Position, at: int) -> None:
        """Note a fate: the next one of its topic, at its own time, and not overtaken by a closing."""
        topic, offset = position.topic, position.offset
        demand(entry, f"the next input of {topic} with a fate", offset, self.decided[topic])
        self._not_overtaking(entry, topic, offset, at)
        self.decided[topic] = offset + 1
        demand(entry, f"the time of {position}", at, self._at(topic, offset))
        self._last_at[topic] = at
        if at < self._closed_at:
            broken(entry, f"{position} of {at} comes after a deadline that was closed at {self._closed_at}")

    def _at(self, topic: str, offset: int) -> int:
        return max(self.world.records[topic, self.partition][offset].timestamp, self._last_at[topic])

    def _close(self, entry: Entry, due: int) -> None:
        """Note that a deadline fired: at its due time, or late, and never while an input stamped before it waits."""
        if entry.at != due and entry.at <= due + self.space.late:
            broken(entry, f"a deadline due at {due} fired at {entry.at}: neither then nor late")
        assert self.world.committer is not None
        if not self.world.committer.looked_at(entry.at + self.space.skew):
            broken(entry, "a deadline fired without a look, once nothing stamped before could come, at what had")
        self._closed_at = max(self._closed_at, entry.at)

    def _not_overtaking(self, entry: Entry, topic: str, offset: int, at: int) -> None:
        """Demand that an input is decided after all that is stamped earlier and was there when it was fetched.

        Before a refusal, which is final, its owner has to look once more.
        """
        assert self.world.committer is not None
        known = self.world.committer.fetched_with(topic, offset)
        if isinstance(entry.content, Refused):
            looked = self.world.committer.looked_after(topic, offset)
            if looked is None:
                broken(entry, "refused without a look at what else was appended")
            known = looked
        topics = self.service.topics
        for other in topics:
            waiting = self.decided[other]
            orders = self.world.order[other, self.partition]
            if other == topic or waiting >= len(orders) or orders[waiting] > known:
                continue
            if (self._at(other, waiting), topics.index(other)) < (at, topics.index(topic)):
                broken(entry, f"decided before {other}/{self.partition}/{waiting}, which is stamped earlier")
