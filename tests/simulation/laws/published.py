"""Law 8 of product.md section 13, for what the relay writes: only what committed logs say, and all of it."""

from typing import NoReturn

from schemas.envelope import Message, Position, Record, decode
from schemas.outcomes import InputOutcome, NextStep, PayoutInstruction
from schemas.payouts import PayoutInstructed, PayoutRetried
from schemas.topics import INPUTS, INSTRUCTIONS, OUTCOMES
from services.kernel.records import InputsPassed, PassedInput, Refused, SetAside
from tests.simulation.entries import Entry, read_entry
from tests.simulation.laws.law import LawBroken
from tests.simulation.world import World

_PUBLIC = {topic.name for topic in INPUTS}
_INSTRUCTION_FIELDS = (
    "claim",
    "cover",
    "pool",
    "assessor",
    "asset",
    "recipient",
    "amount_minor",
    "arithmetic",
    "attempt",
)


class Published:
    """Everything that outsiders read as a topic of its own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.outcomes: dict[str, InputOutcome] = {}
        self.instructions: dict[tuple[str, int], PayoutInstruction] = {}

    def record(self, record: Record) -> None:
        """Look at a record that the relay wrote."""
        content = decode(dict(record.headers)["ce_type"].decode(), record.value or b"")
        if record.topic == OUTCOMES:
            assert isinstance(content, InputOutcome)
            self._outcome(record, content)
            self._once(record, self.outcomes.setdefault(content.position, content), content)
        elif record.topic == INSTRUCTIONS:
            assert isinstance(content, PayoutInstruction)
            self._instruction(record, content)
            name = (content.reference, content.attempt)
            self._once(record, self.instructions.setdefault(name, content), content)

    def _once(self, record: Record, first: Message, content: Message) -> None:
        if first != content:
            _wrong(record, f"said otherwise before: {first!r}")

    def _outcome(self, record: Record, outcome: InputOutcome) -> None:
        entry = self._entry(record, outcome.log_position)
        if isinstance(entry.content, InputsPassed):
            passed = self._passed(entry.content, outcome.position)
            if passed is None or (passed.fate, passed.at, passed.of) != (outcome.fate, outcome.at, outcome.of):
                _wrong(record, f"the log says {passed!r}")
            return
        group = self._group(entry)
        refused = entry.content if isinstance(entry.content, Refused) else None
        fate = "refused" if refused else "set-aside" if isinstance(entry.content, SetAside) else "decided"
        said = (outcome.position, outcome.input_id, outcome.fate, outcome.at, outcome.events)
        wires = tuple(other.content.wire for other in group)
        if said != (str(entry.input), entry.headers["ce_causationid"], fate, entry.at, wires):
            _wrong(record, f"the log says {entry!r}")
        if refused is not None and (
            outcome.refusal is None
            or any(
                getattr(outcome.refusal, name) != getattr(refused, name)
                for name in ("rule", "value", "accepted", "not_before")
            )
        ):
            _wrong(record, f"the log says {refused!r}")
        steps = [step for other in group if isinstance(step := getattr(other.content, "next", None), NextStep)]
        if outcome.next != (steps[-1] if steps else None):
            _wrong(record, f"the log says {steps!r}")

    def _entry(self, record: Record, place: str) -> Entry:
        log, partition, offset = place.rsplit("/", 2)
        records = self.world.seen(log, int(partition), 0)
        if int(offset) >= len(records):
            _wrong(record, f"{place} is not visible")
        return read_entry(records[int(offset)])

    def _passed(self, event: InputsPassed, position: str) -> PassedInput | None:
        place = Position.parse(position)
        for topic_range in event.ranges:
            for passed in topic_range.inputs:
                if (topic_range.topic, passed.offset) == (place.topic, place.offset):
                    return passed
        return None

    def _group(self, entry: Entry) -> list[Entry]:
        """Return the record and those after it that the same input caused."""
        records = self.world.records[entry.log, entry.partition][entry.offset :]
        group = []
        for record in records:
            other = read_entry(record)
            if other.input != entry.input:
                break
            group.append(other)
        return group

    def _instruction(self, record: Record, instruction: PayoutInstruction) -> None:
        cause = dict(record.headers)["ce_causationid"].decode()
        for log_record in self.world.seen("payouts.events", record.partition, 1):
            entry = read_entry(log_record)
            if entry.headers["ce_id"] != cause:
                continue
            event = entry.content
            if not isinstance(event, (PayoutInstructed, PayoutRetried)) or event.payout != instruction.reference:
                break
            if all(getattr(event, name) == getattr(instruction, name) for name in _INSTRUCTION_FIELDS):
                return
        _wrong(record, "no visible log record says so")


def _wrong(record: Record, what: str) -> NoReturn:
    raise LawBroken(f"law 8: {record.position} {record.value!r}: {what}")
