"""The verifier: takes an export and believes nothing.

It recomputes every chain, sequence and fate, and decides every input and deadline of every log again with the same
pure code that decided it, comparing the records byte for byte; then it holds inboxes and outsiders' topics against
what the logs say was sent. A span that another release decided is checked by chain, fates and fold, and reported.
"""

import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from schemas.envelope import Headers, Outgoing, Position, Record
from schemas.instants import LAST, parse_instant

from . import collector
from .decider import Deadline, DecisionService
from .differences import difference
from .export import Export, Finding
from .fingerprint import fingerprint
from .markers import incarnation_of, marker
from .partition import Decision, Effects, Partition
from .records import InputsPassed, ReleaseStarted, SetAside, TopicStarted
from .space import Space, space_sha256
from .store import StoreError
from .wire import genesis, record_digest

Publish = Callable[[Space, Sequence[Record]], Sequence[Outgoing]]
"""What the relay writes to a topic because of one group of log records (those of one input)."""
RELAYED = "ce_relayed"
"""The header in which a relay notes how far it had read every log: its own business, and different in a repeat."""
_FINDINGS_MAX = 50
_Content = tuple[bytes | None, bytes | None, Headers]


@dataclass(slots=True)
class Report:
    """What was checked, and everything that is not as it must be.

    Attributes:
        findings: The first fifty of what is not as it must be.
        more: How many findings there are beyond those.
        cut_short: The counts here that are too small, as a check could not be made, or not to its end.
        log_hash: Of the logs as the export has them, whatever was found.
    """

    findings: list[Finding] = field(default_factory=list)
    more: int = 0
    cut_short: set[str] = field(default_factory=set)
    records: int = 0
    events: int = 0
    inputs: int = 0
    decided_again: int = 0
    messages: int = 0
    published: int = 0
    other_releases: list[str] = field(default_factory=list)
    passed_by_operators: list[str] = field(default_factory=list)
    log_hash: str = ""

    @property
    def clean(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings

    def add(self, where: str, what: str) -> None:
        """Note a finding; those of a flood are counted."""
        if len(self.findings) < _FINDINGS_MAX:
            self.findings.append(Finding(where, what))
        else:
            self.more += 1


def log_hash(chains: Mapping[tuple[str, int], bytes]) -> str:
    """Return one hash that names the state of all logs: over every log partition's last chain hash."""
    text = "\n".join(f"{log}/{partition} {chain.hex()}" for (log, partition), chain in sorted(chains.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def where_is(record: Record | Outgoing) -> str:
    """Name a record's place."""
    return record.position if isinstance(record, Record) else f"{record.topic}/{record.partition}"


def groups(records: Sequence[Record]) -> list[list[Record]]:
    """Group a log's records by the input or deadline that caused them; the kernel's own stand alone."""
    grouped: list[list[Record]] = []
    before: tuple[bytes | None, bytes | None] = (None, None)
    for record in records:
        headers = dict(record.headers)
        cause = (headers.get("ce_input"), headers.get("ce_causationid"))
        if grouped and cause == before and cause[0] is not None:
            grouped[-1].append(record)
        else:
            grouped.append([record])
        before = cause
    return grouped


@collector.paused()
def verify(
    export: Export, services: Sequence[DecisionService[Any]], publishes: Mapping[str, Publish] | None = None
) -> Report:
    """Verify an export; `publishes` says what the relay writes to which outsiders' topic."""
    report = Report(records=export.records_count)
    for where, what in export.findings:
        report.add(where, what)
    if export.space is None:
        report.cut_short |= {"events", "inputs", "decided_again", "messages", "published"}
        return report
    sent: Counter[tuple[str, int, bytes]] = Counter()
    chains: dict[tuple[str, int], bytes] = {}
    complete = True
    for service in services:
        for index in range(export.space.partitions):
            checker = _PartitionCheck(export, export.space, service, index, report)
            checker.run()
            complete = complete and checker.complete
            sent.update(_sent(record) for record in checker.sends)
            chains[service.log, index] = checker.chain
    if complete:
        _check_inboxes(export, services, sent, report)
    else:
        report.cut_short.add("messages")
    for topic, publish in (publishes or {}).items():
        _check_published(export, export.space, services, topic, publish, report)
    _check_places(export, export.space, services, publishes or {}, report)
    report.log_hash = log_hash(chains)
    return report


def _check_places(
    export: Export,
    space: Space,
    services: Sequence[DecisionService[Any]],
    outputs: Iterable[str],
    report: Report,
) -> None:
    """Check that no record stands beside those that were checked, and that every topic partition begins as it must."""
    checked = {topic for service in services for topic in (service.log, *service.topics)} | set(outputs)
    for topic in sorted(checked ^ set(export.topics)):
        report.add("line 1", f"topic {topic} is {'missing' if topic in checked else 'none of this release'}")
    for (topic, index), records in export.records.items():
        if topic not in checked or not 0 <= index < space.partitions:
            report.add(where_is(records[0]), f"the space has no topic partition {topic}/{index}")
    for topic in sorted(checked):
        for index in range(space.partitions):
            records = export.records.get((topic, index), [])
            try:
                life = incarnation_of(records[0] if records else None, topic, index)
            except (StoreError, ValueError) as error:
                report.add(f"{topic}/{index}/0", str(error))
                continue
            what = difference(marker(space.name, topic, index, life), records[0])
            if what is not None:
                report.add(where_is(records[0]), what)


def _sent(record: Outgoing | Record) -> tuple[str, int, bytes]:
    return record.topic, record.partition, record_digest(b"", record.key, record.value, record.headers)


class _Differs(Exception):
    def __init__(self, where: str, what: str) -> None:
        super().__init__(what)
        self.where = where


class _PartitionCheck:
    """Checks one log partition and the inputs it decided."""

    def __init__(self, export: Export, space: Space, service: DecisionService[Any], index: int, report: Report) -> None:
        self.report = report
        self.space = space
        self.service = service
        self.index = index
        self.sends: list[Outgoing] = []
        self.complete = False
        self.chain = b""
        self.records = {topic: export.records.get((topic, index), []) for topic in (service.log, *service.topics)}
        self.own = fingerprint(service)
        self.own_space = space_sha256(space)
        self._configured = ("", self.own_space)
        self._current = True

    def run(self) -> None:
        """Check offsets, chain, then decide again."""
        lives = self._lives() if self._offsets() else None
        if lives is None:
            self.report.cut_short |= {"events", "inputs", "decided_again"}
            return
        self._chain(lives[self.service.log])
        core = Partition(self.space, self.service, self.index, lives, self.own)
        log = self.records[self.service.log]
        self.report.events += len(log) - 1
        self.report.inputs += sum(len(self.records[topic]) - 1 for topic in self.service.topics)
        for group in groups(log):
            try:
                self._group(core, group)
                continue
            except _Differs as differs:
                self.report.add(differs.where, str(differs))
            except Exception as error:  # noqa: BLE001 - whatever a changed record makes the code raise is a finding
                self.report.add(where_is(group[0]), f"cannot be decided again: {type(error).__name__}: {error}")
            self.report.cut_short.add("decided_again")
            return
        where, configured = self._configured
        if configured != self.own_space:
            what = f"decided under a configuration with the hash {configured}, the export's has {self.own_space}"
            self.report.add(where, what)
        self._fates(core)
        self.complete = not self.report.other_releases

    def _lives(self) -> dict[str, str] | None:
        """Return the incarnation of every topic partition, or None where one has none: _check_places says where."""
        try:
            return {
                topic: incarnation_of(records[0] if records else None, topic, self.index)
                for topic, records in self.records.items()
            }
        except (StoreError, ValueError):
            return None

    def _offsets(self) -> bool:
        """Check that offsets rise, and in public streams without a gap.

        Logs and inboxes are written in transactions, whose ends have offsets of their own on Kafka. What is missing
        there is found all the same: in a log by its chain, in an inbox because each message is one that a log sent. Of
        a public stream only the offsets say that nothing is missing; nobody may write one in transactions.
        """
        whole = True
        for topic, records in self.records.items():
            gaps = topic in (self.service.log, self.service.inbox)
            expected = 0
            for record in records:
                if record.offset != expected and not (gaps and record.offset > expected > 0):
                    what = f"offset {record.offset} stands where {expected} must"
                    self.report.add(f"{topic}/{self.index}/{expected}", what)
                    whole = False
                    break
                expected = record.offset + 1
        return whole

    def _chain(self, incarnation: str) -> None:
        chain = genesis(self.space.name, self.service.log, self.index, incarnation)
        expected = 1
        for record in self.records[self.service.log][1:]:
            stated = dict(record.headers).get("ce_chain", b"").decode(errors="replace")
            chain = record_digest(chain, record.key, record.value, record.headers)
            if chain.hex() != stated:
                what = f"the chain breaks here: the record's hash is {chain.hex()}, it says {stated or 'nothing'}"
                if record.offset > expected:
                    self.report.add(f"{record.topic}/{record.partition}/{expected}", "a record is missing, or more")
                self.report.add(where_is(record), what)
                try:
                    chain = bytes.fromhex(stated)
                except ValueError:
                    self.report.cut_short.add("events")
                    break
            expected = record.offset + 1
        self.chain = chain

    def _group(self, core: Partition, group: list[Record]) -> None:
        headers = dict(group[0].headers)
        wire = headers.get("ce_type", b"").decode()
        if wire in (TopicStarted.wire, ReleaseStarted.wire):
            event = core.apply(group[0])
            if isinstance(event, ReleaseStarted):
                self._configured = (where_is(group[0]), event.space_sha256)
                self._current = (event.fingerprint, event.space_sha256) == (self.own, self.own_space)
                if not self._current:
                    self.report.other_releases.append(f"{where_is(group[0])}: release {event.version}")
            return
        if not self._current:
            for record in group:
                core.apply(record)
            return
        effects = Effects()
        for decision in self._decisions(core, group, headers, wire):
            core.accept(decision, effects)
            self.report.decided_again += 1
        while core.unfinished is not None and len(effects.log) < len(group):
            core.accept(core.decide(self._input(core, core.unfinished[0], where_is(group[-1]))), effects)
        core.flush(effects)
        self._compare(effects.log, group)
        self.sends += effects.sends

    def _decisions(
        self, core: Partition, group: list[Record], headers: Headers | dict[str, bytes], wire: str
    ) -> list[Decision]:
        held = dict(headers)
        assert group[0].value is not None
        if wire == InputsPassed.wire:
            return self._passed(core, group[0])
        position = held["ce_input"].decode()
        if position.startswith("deadline/"):
            return [self._deadline(core, group[0], position, held)]
        if wire == SetAside.wire:
            event = SetAside.model_validate_json(group[0].value)
            if event.passed_by is not None:
                self.report.passed_by_operators.append(f"{event.position}: {event.passed_by}: {event.reason}")
                record = self._input(core, position, where_is(group[0]))
                return [core.set_aside(record, cause=event.cause, reason=event.reason, passed_by=event.passed_by)]
        return [core.decide(self._input(core, position, where_is(group[0])))]

    def _passed(self, core: Partition, record: Record) -> list[Decision]:
        assert record.value is not None
        event = InputsPassed.model_validate_json(record.value)
        effects = Effects()
        for topic_range in event.ranges:
            for passed in topic_range.inputs:
                place = Position(topic_range.topic, topic_range.incarnation, self.index, passed.offset)
                decision = core.decide(self._input(core, str(place), where_is(record)))
                if decision.passed is None:
                    what = f"{place} is passed as {passed.fate}, but decided again it causes events"
                    raise _Differs(where_is(record), what)
                core.accept(decision, effects)
                self.report.decided_again += 1
        self.sends += effects.sends
        return []

    def _deadline(self, core: Partition, record: Record, position: str, headers: dict[str, bytes]) -> Decision:
        _, _, rest = position.partition("/")
        name, _, due = rest.rpartition("/")
        deadline = Deadline(name, parse_instant(due))
        key = (record.key or b"").decode()
        instant = parse_instant(headers["ce_time"].decode())
        # What was due before and is still open has to be late, or it would have fired before.
        soonest = core.soonest(late_before=instant, late_instant=LAST + 1)
        if not core.deadlines.is_open(key, deadline):
            raise _Differs(where_is(record), f"deadline {rest} of {key} fired, but is not open")
        if instant == deadline.due and soonest != (instant, key, deadline):
            raise _Differs(where_is(record), f"deadline {rest} of {key} fired, but the one open next is {soonest}")
        if instant != deadline.due and instant <= deadline.due + self.space.late:
            raise _Differs(
                where_is(record), f"deadline {rest} fired at {headers['ce_time'].decode()}: neither due nor late"
            )
        return core.fire(key, deadline, instant)

    def _input(self, core: Partition, position: str, where: str) -> Record:
        place = Position.parse(position)
        if place.topic not in self.records or place.incarnation != core.incarnations.get(place.topic):
            raise _Differs(where, f"its input {position} is not of this space's topics")
        records = self.records[place.topic]
        number = _first(records, place.offset)
        if number == len(records) or records[number].offset != place.offset:
            raise _Differs(where, f"its input {position} is missing")
        for skipped in records[_first(records, max(core.next_offsets[place.topic], 1)) : number]:
            raise _Differs(where_is(skipped), "an input without a fate: what follows it was decided")
        return records[number]

    def _compare(self, expected: Sequence[Outgoing], stored: Sequence[Record]) -> None:
        for must, has in zip(expected, stored, strict=False):
            what = difference(must, has)
            if what is not None:
                raise _Differs(where_is(has), f"decided again, {what}")
        if len(expected) != len(stored):
            what = f"its input causes {len(expected)} records, the log has {len(stored)}"
            raise _Differs(where_is(stored[0]), what)

    def _fates(self, core: Partition) -> None:
        for topic in self.service.topics:
            records = self.records[topic]
            for record in records[_first(records, max(core.next_offsets[topic], 1)) :]:
                self.report.add(where_is(record), "an input without a fate")


def _first(records: Sequence[Record], offset: int) -> int:
    """Return the number of the first record at or after an offset."""
    if offset < len(records) and records[offset].offset == offset:
        return offset  # as everywhere but on Kafka
    return bisect_left(records, offset, key=attrgetter("offset"))


def _check_inboxes(
    export: Export, services: Sequence[DecisionService[Any]], sent: Counter[tuple[str, int, bytes]], report: Report
) -> None:
    for service in services:
        assert export.space is not None
        for index in range(export.space.partitions):
            for record in export.records.get((service.inbox, index), [])[1:]:
                place = _sent(record)
                if sent[place] == 0:
                    report.add(where_is(record), "a message that no log record sent")
                else:
                    sent[place] -= 1
                    report.messages += 1
    for (topic, partition, _), count in sorted(sent.items()):
        if count:
            report.add(f"{topic}/{partition}", f"{count} message that a log record sent is missing")


def _check_published(
    export: Export,
    space: Space,
    services: Sequence[DecisionService[Any]],
    topic: str,
    publish: Publish,
    report: Report,
) -> None:
    """Check that what outsiders read is what the logs say: nothing else, and (at least once) all of it."""
    for index in range(space.partitions):
        due: dict[_Content, bool] = {}
        for service in services:
            for group in groups(export.records.get((service.log, index), [])):
                try:
                    due.update((_content(record), False) for record in publish(space, group))
                except Exception as error:  # noqa: BLE001 - whatever a changed record makes the code raise is a finding
                    report.add(where_is(group[0]), f"cannot be published again: {type(error).__name__}: {error}")
                    report.cut_short.add("published")
        for record in export.records.get((topic, index), [])[1:]:
            content = _content(record)
            if content not in due:
                report.add(where_is(record), "published, but no log says so")
            else:
                due[content] = True
                report.published += 1
        missing = sum(not seen for seen in due.values())
        if missing:
            report.add(f"{topic}/{index}", f"of what the logs say, {missing} is not published")


def _content(record: Outgoing | Record) -> _Content:
    """Return what a published record says, without how far the relay had read."""
    return record.key, record.value, tuple(header for header in record.headers if header[0] != RELAYED)
