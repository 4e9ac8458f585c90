"""What an outsider sees of a space: outcomes, payout instructions, and the logs, which anybody may read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from schemas.adjudication import BallotClosed
from schemas.claims import ClaimDenied, ClaimDrawn, ClaimFiled, ClaimPaid
from schemas.envelope import Event, Message, Position, Record, decode
from schemas.incidents import IncidentDecided, IncidentOpened
from schemas.instants import parse_instant
from schemas.outcomes import InputOutcome, PayoutInstruction
from schemas.payouts import PayoutConfirmed
from schemas.topics import INSTRUCTIONS, OUTCOMES, SERVICES
from services.cli.demo.calendar import Calendar
from services.kernel.records import KERNEL_EVENTS, FactNoted, InputsPassed, TopicStarted
from services.kernel.store import Store
from services.registry import LOGS

_INBOXES = frozenset(f"{service}.inbox" for service in SERVICES)
_TOPICS = (*LOGS, OUTCOMES, INSTRUCTIONS, *sorted(_INBOXES))
_FETCH_MAX = 1_000

EventT = TypeVar("EventT", bound=Event)


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a log: `input` is the position of the input that caused it, or `deadline/...`.

    `at` is when it counts, `written_at` when it was appended: what it led to was appended later.
    """

    at: int
    written_at: int
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


class _Place(NamedTuple):
    """Where a record stands; which life of the topic that is makes no difference within one story."""

    topic: str
    partition: int
    offset: int


@dataclass(slots=True)
class Seen:
    """All that was read so far, in the order in which it was read; `calendar` says what instants mean."""

    calendar: Calendar
    partitions: int
    happened: list[Happened] = field(default_factory=list)
    instructed: list[Instructed] = field(default_factory=list)
    outcomes: dict[str, InputOutcome] = field(default_factory=dict)
    records: int = 0
    _first: dict[str, InputOutcome] = field(default_factory=dict)
    _by_position: dict[str, Happened] = field(default_factory=dict)
    _next: dict[tuple[str, int], int] = field(default_factory=dict)
    _noted: dict[tuple[str, int, str], int] = field(default_factory=dict)
    _sent: set[_Place] = field(default_factory=set)
    _decided: set[_Place] = field(default_factory=set)

    def outcome(self, input_id: str) -> InputOutcome | None:
        """Return what became of an input, of several with one id the first, once the log record it names is read."""
        outcome = self._first.get(input_id)
        return outcome if outcome is not None and self._is_read(outcome.log_position) else None

    def _is_read(self, log_position: str) -> bool:
        topic, partition, offset = log_position.split("/")
        return int(offset) < self._next[topic, int(partition)]

    def decided(self, input_id: str) -> Event:
        """Follow an input's outcome to the log record that it names; raises KeyError when it caused no event."""
        return self._by_position[self._first[input_id].log_position].event

    def events(self, kind: type[EventT]) -> list[EventT]:
        """Return all events of a kind."""
        return [happened.event for happened in self.happened if isinstance(happened.event, kind)]

    def noted(self, service: str, wire: str) -> int:
        """Return how many facts of a type every partition of a service has noted: anybody may read its log."""
        return min(self._noted.get((service, partition, wire), 0) for partition in range(self.partitions))

    def vote_closed_at(self, filing: str) -> int | None:
        """Return when the vote on the claim of a filing was closed."""
        if self.outcome(filing) is None:
            return None
        filed = self.decided(filing)
        assert isinstance(filed, ClaimFiled)
        case = f"case/claim/{filed.claim}"
        ends = (one.at for one in self.happened if isinstance(one.event, BallotClosed) and one.key == case)
        return next(ends, None)

    def is_confirmed(self, report: str) -> bool:
        """Tell whether the incident that a report opened is confirmed."""
        if self.outcome(report) is None:
            return False
        opened = self.decided(report)
        assert isinstance(opened, IncidentOpened)
        return any(decided.incident == opened.incident for decided in self.events(IncidentDecided))

    def paid_at(self, filing: str) -> int | None:
        """Return when the claim of a filing was first paid, all of it or a part."""
        if self.outcome(filing) is None:
            return None
        filed = self.decided(filing)
        assert isinstance(filed, ClaimFiled)
        paid = (one.at for one in self.happened if isinstance(one.event, ClaimPaid) and one.event.claim == filed.claim)
        return next(paid, None)

    @property
    def open_ends(self) -> set[str]:
        """Claims that are neither paid, in part at least, nor denied nor undecided, and payouts not yet confirmed."""
        ends: list[ClaimPaid | ClaimDenied | ClaimDrawn] = []
        ends += [*self.events(ClaimPaid), *self.events(ClaimDenied), *self.events(ClaimDrawn)]
        claims = {event.claim for event in self.events(ClaimFiled)} - {event.claim for event in ends}
        confirmed = {event.payout for event in self.events(PayoutConfirmed)}
        return claims | ({one.instruction.reference for one in self.instructed} - confirmed)

    async def read(self, store: Store) -> bool:
        """Read on, and tell whether all is quiet: nothing came, and every message that a service sent is decided."""
        fetched = [
            await store.fetch(
                partition, {topic: self._next.get((topic, partition), 0) for topic in _TOPICS}, _FETCH_MAX
            )
            for partition in range(self.partitions)
        ]
        before = self.records
        for topic in _TOPICS:
            for partition, found in enumerate(fetched):
                self._take(found[topic].records)
                self._next[topic, partition] = found[topic].next
        at_end = all(held.next >= held.end for found in fetched for held in found.values())
        return at_end and self.records == before and self._sent <= self._decided

    def _take(self, records: Iterable[Record]) -> None:
        for record in records:
            self.records += 1
            headers = dict(record.headers)
            content = decode(headers["ce_type"].decode(), record.value or b"")
            if record.topic in _INBOXES:
                if not isinstance(content, TopicStarted):
                    self._sent.add(_Place(record.topic, record.partition, record.offset))
                continue
            if record.topic in LOGS:
                self._settle(record, headers, content)
            if isinstance(content, FactNoted):
                fact = (record.topic.removesuffix(".events"), record.partition, content.fact_type)
                self._noted[fact] = self._noted.get(fact, 0) + 1
            match content:
                case InputOutcome():
                    self.outcomes[content.position] = content
                    self._first.setdefault(content.input_id, content)
                case PayoutInstruction():
                    self._instruct(Instructed(record.timestamp, content))
                case Event() if not isinstance(content, KERNEL_EVENTS):
                    self._note(record, headers, content)
                case _:
                    pass

    def _settle(self, record: Record, headers: Mapping[str, bytes], content: Message) -> None:
        """Note which inputs a log record says to be decided."""
        if isinstance(content, InputsPassed):
            for passed in content.ranges:
                self._decided |= {_Place(passed.topic, record.partition, one.offset) for one in passed.inputs}
            return
        cause = headers.get("ce_input", b"").decode()
        if "@" in cause:
            topic, _, partition, offset = Position.parse(cause)
            self._decided.add(_Place(topic, partition, offset))

    def _instruct(self, instructed: Instructed) -> None:
        """Take note of an instruction, once: delivery is at least once."""
        if all(instructed.instruction != known.instruction for known in self.instructed):
            self.instructed.append(instructed)

    def _note(self, record: Record, headers: Mapping[str, bytes], event: Event) -> None:
        happened = Happened(
            at=parse_instant(headers["ce_time"].decode()),
            written_at=record.timestamp,
            service=record.topic.removesuffix(".events"),
            key=(record.key or b"").decode(),
            position=record.position,
            input=headers["ce_input"].decode(),
            event=event,
        )
        self.happened.append(happened)
        self._by_position[happened.position] = happened
