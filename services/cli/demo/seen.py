"""What an outsider sees of a space: outcomes, payout instructions, and the logs, which anybody may read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from schemas.envelope import Event, Record, decode
from schemas.instants import parse_instant
from schemas.outcomes import InputOutcome, PayoutInstruction
from schemas.topics import INSTRUCTIONS, OUTCOMES, SERVICES
from services.kernel.export import Readable
from services.kernel.records import FactNoted, InputsPassed, Refused, ReleaseStarted, SetAside

_TOPICS = (*(f"{service}.events" for service in SERVICES), OUTCOMES, INSTRUCTIONS)
_KERNEL = (FactNoted, InputsPassed, Refused, ReleaseStarted, SetAside)
"""Records of the kernel's own: outcomes say what of them concerns an outsider."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a log: `input` is the position of the input that caused it, or `deadline/...`."""

    at: int
    service: str
    key: str
    position: str
    input: str
    event: Event


@dataclass(frozen=True, slots=True)
class Instructed:
    """One record of `payout.instructions`, with when it was published."""

    at: int
    instruction: PayoutInstruction


@dataclass(slots=True)
class Seen:
    """All that was read so far, in the order in which it was read."""

    happened: list[Happened] = field(default_factory=list)
    instructed: list[Instructed] = field(default_factory=list)
    outcomes: dict[str, InputOutcome] = field(default_factory=dict)
    _first: dict[str, InputOutcome] = field(default_factory=dict)
    _by_position: dict[str, Happened] = field(default_factory=dict)
    _offsets: dict[tuple[str, int], int] = field(default_factory=dict)

    def outcome(self, input_id: str) -> InputOutcome | None:
        """Return what became of an input: of several with one id, of the first."""
        return self._first.get(input_id)

    def decided(self, input_id: str) -> Event:
        """Follow an input's outcome to the log record that it names; raises KeyError when it caused no event."""
        return self._by_position[self._first[input_id].log_position].event

    async def read(self, store: Readable, partitions: int) -> None:
        """Read on in every topic that outsiders read; markers stand at offset 0."""
        for topic in _TOPICS:
            for partition in range(partitions):
                start = self._offsets.get((topic, partition), 1)
                async for records in store.read(topic, partition, start):
                    self._take(records)
                    self._offsets[topic, partition] = records[-1].offset + 1

    def _take(self, records: Iterable[Record]) -> None:
        for record in records:
            headers = dict(record.headers)
            content = decode(headers["ce_type"].decode(), record.value or b"")
            match content:
                case InputOutcome():
                    self.outcomes[content.position] = content
                    self._first.setdefault(content.input_id, content)
                case PayoutInstruction():
                    self._instruct(Instructed(record.timestamp, content))
                case Event() if not isinstance(content, _KERNEL):
                    self._note(record, headers, content)
                case _:
                    pass

    def _instruct(self, instructed: Instructed) -> None:
        """Take note of an instruction, once: delivery is at least once."""
        if all(instructed.instruction != known.instruction for known in self.instructed):
            self.instructed.append(instructed)

    def _note(self, record: Record, headers: Mapping[str, bytes], event: Event) -> None:
        happened = Happened(
            at=parse_instant(headers["ce_time"].decode()),
            service=record.topic.removesuffix(".events"),
            key=(record.key or b"").decode(),
            position=f"{record.topic}/{record.partition}/{record.offset}",
            input=headers["ce_input"].decode(),
            event=event,
        )
        self.happened.append(happened)
        self._by_position[happened.position] = happened
