"""One partition of one decision service: the pure middle of the engine.

`decide` and `fire` say what an input or a deadline causes and change nothing; `accept` turns that into log records
and messages and folds it; `apply` folds a stored log record again. The engine, recovery, the verifier and the
simulation all go through these four, so that there is one answer to what an input does.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

from pydantic import ValidationError

from schemas.envelope import (
    Event,
    Input,
    Message,
    Outgoing,
    Position,
    Record,
    UnknownTypeError,
    current_wire,
    decode,
    model_of,
)
from schemas.instants import format_instant, parse_instant
from schemas.problems import problems

from .deadlines import DeadlineQueue
from .decider import Deadline, Decided, DecisionService, Received
from .duplicates import DuplicateMemory
from .partitioner import partition_of
from .proofs import Sender, prove
from .records import (
    FactNoted,
    InputsPassed,
    PassedInput,
    PassedRange,
    Refused,
    ReleaseStarted,
    SetAside,
    TopicStarted,
)
from .routing import messages
from .space import INPUT_BYTES_MAX, RECORD_BYTES_MAX, Space, space_sha256
from .wire import (
    Cause,
    InputHeaders,
    UnreadableError,
    content_digest,
    genesis,
    input_digest,
    log_record,
    read_input_headers,
    stable_id,
)

VERSION = "0.1.0"
_PASSED_BYTES_MAX = RECORD_BYTES_MAX // 2
"""How much one range record names: ids may be long, and many."""
AUDIENCE_EVENTS = 200
"""After how many events of one broadcast's audience a transaction ends; the rest follows in the next."""
_HELD_MAX = 200
"""How many characters a schema refusal repeats of a path and of a value."""


class BrokenInvariantError(RuntimeError):
    """A bug: the partition must stop, name the record and leave what was committed as it is."""


@dataclass(slots=True)
class Effects:
    """What is to be committed together: log records, messages to siblings, and how far inputs are decided."""

    log: list[Outgoing] = field(default_factory=list)
    sends: list[Outgoing] = field(default_factory=list)
    bytes: int = 0

    def __len__(self) -> int:
        """Count the records."""
        return len(self.log) + len(self.sends)


class Decision(NamedTuple):
    """What one input or deadline causes, before anything is changed.

    Exactly one of `events`, `passed` is set, but for a topic marker, which causes nothing and has no fate.
    """

    topic: str
    offset: int
    at: int
    cause: Cause | None = None
    events: tuple[tuple[str, Event], ...] = ()
    passed: PassedInput | None = None
    forward: Outgoing | None = None
    memory_key: bytes | None = None

    @property
    def more(self) -> str | None:
        """The last aggregate that decided, where further ones have to: nothing else is decided before."""
        return None if self.cause is None else self.cause.more

    @property
    def refusal(self) -> Refused | None:
        """The refusal, if that is what it is."""
        event = self.events[0][1] if self.events else None
        return event if isinstance(event, Refused) else None


class Partition:
    """State, facts, duplicate memory, deadlines and chain of one partition."""

    def __init__(
        self, space: Space, service: DecisionService[Any], index: int, incarnations: Mapping[str, str], fingerprint: str
    ) -> None:
        self.space = space
        self.service = service
        self.index = index
        self.incarnations = incarnations
        self.fingerprint = fingerprint
        self.source = f"/{space.name}/{service.name}"
        self.states: dict[str, Any] = {}
        self.facts: Any = service.facts.initial()
        self.sequences: dict[str, int] = {}
        self.memory = DuplicateMemory()
        self.deadlines = DeadlineQueue()
        self._chain_hex = genesis(space.name, service.log, index, incarnations[service.log]).hex().encode()
        self.next_offsets: dict[str, int] = dict.fromkeys(service.topics, 0)
        self.last_at: dict[str, int] = dict.fromkeys(service.topics, 0)
        self.fired_at = 0
        """The latest instant at which a deadline fired."""
        self.release: tuple[str, str] | None = None
        self._own_release = (fingerprint, space_sha256(space))
        self._pending: list[tuple[str, PassedInput]] = []
        self._pending_bytes = 0
        self._touched: set[str] = set()
        self._applied = b""
        self._kernel_key = f"partition/{index}"
        self._facts_key = f"facts/{index}"
        self._fact_types = {model.wire for model in service.facts.types}
        self._own_types = {model.wire for model in getattr(service.facts, "own", ())}
        self._evolve_own: Any = getattr(service.facts, "evolve_own", None)
        self.unfinished: tuple[str, str] | None = None
        """The position of a broadcast that further aggregates have to decide, and the last one that did."""
        self._public = {topic.name: {model.wire: model for model in topic.types} for topic in service.inputs}
        self._topic_numbers = {topic: number for number, topic in enumerate(service.topics)}
        self._deciders = service.deciders
        self._kernel_folds: dict[str, Callable[[Any], None]] = {
            Refused.wire: lambda _: None,
            SetAside.wire: lambda _: None,
            FactNoted.wire: self._apply_fact,
            ReleaseStarted.wire: self._apply_release,
            InputsPassed.wire: self._apply_passed,
        }
        self._places = {f"{topic}@{incarnations[topic]}/{index}".encode(): topic for topic in service.topics}
        self._prefixes = {topic: f"{topic}@{incarnations[topic]}/{index}/" for topic in (*service.topics, service.log)}

    @property
    def chain(self) -> bytes:
        """The chain hash after the last record."""
        return bytes.fromhex(self._chain_hex.decode())

    @chain.setter
    def chain(self, chain: bytes) -> None:
        self._chain_hex = chain.hex().encode()

    def state(self, key: str) -> Any:  # noqa: ANN401 - each kind of aggregate has its own
        """Return an aggregate's state: the one door to it, so that closed ones may leave memory later."""
        state = self.states.get(key)
        if state is None:
            state = self._deciders[key.partition("/")[0]].initial(key)
        return state

    def instant(self, record: Record) -> int:
        """Return the `at` of an input: its append time, never before the last of its topic partition."""
        last = self.last_at[record.topic]
        return max(last, record.timestamp)

    # --- deciding

    def decide(self, record: Record) -> Decision:
        """Say what the next input of a topic causes; raises BrokenInvariantError, or whatever a decider raised."""
        at = self.instant(record)
        topic, offset = record.topic, record.offset
        if offset < self.next_offsets[topic]:
            text = f"{topic}/{self.index}/{offset} was decided already"
            raise BrokenInvariantError(text)
        try:
            headers = self._readable(record)
            if headers is None:
                return Decision(topic, offset, self.last_at[topic])
            if topic == self.service.inbox and headers.stream is None:
                return self._decide_message(record, headers, at)
            return self._decide_public(record, headers, at)
        except UnreadableError as error:
            return self.set_aside(record, cause=error.cause, reason=str(error))

    def _readable(self, record: Record) -> InputHeaders | None:
        if record.offset == 0 and ("ce_type", TopicStarted.wire.encode()) in record.headers:
            return None
        if record.topic != self.service.inbox:
            size = len(record.value or b"") + len(record.key or b"")
            size += sum(map(len, chain.from_iterable(record.headers)))
            if size > INPUT_BYTES_MAX:
                raise UnreadableError("too-large", f"{size} bytes; at most {INPUT_BYTES_MAX} are accepted")
        if record.value is None:
            raise UnreadableError("no-value", "the record has no value; a JSON object is accepted")
        return self._headers(record)

    def _headers(self, record: Record) -> InputHeaders:
        """Read an input's headers; those by which services speak to each other count from no outsider."""
        headers = read_input_headers(record)
        in_inbox = record.topic == self.service.inbox
        if headers.stream is None and (in_inbox or headers.correlation == headers.id):
            return headers
        return headers._replace(correlation=headers.id, stream=headers.stream if in_inbox else None)

    def set_aside(self, record: Record, *, cause: str, reason: str, passed_by: str | None = None) -> Decision:
        """Set an input aside: unreadable, or passed by an operator."""
        at = self.instant(record)
        try:
            headers = self._headers(record)
        except UnreadableError:
            headers = None
        identifier = headers.id if headers else str(self._prefixes[record.topic]) + str(record.offset)
        event = SetAside(
            position=f"{self._prefixes[record.topic]}{record.offset}",
            cause=cause,
            reason=reason[:2000],
            size_bytes=len(record.value or b""),
            passed_by=passed_by,
        )
        origin = Cause(
            id=identifier,
            correlation=headers.correlation if headers else identifier,
            input=event.position,
            key=self._kernel_key,
            sender="",
            stream=headers.stream if headers else None,
            at=at,
            since=at,
            input_sha256=input_digest(record),
            content_sha256="",
        )
        return Decision(record.topic, record.offset, at, origin, ((self._kernel_key, event),))

    def _decide_message(self, record: Record, headers: InputHeaders, at: int) -> Decision:
        """Decide a sibling's message."""
        assert record.value is not None
        key = (record.key or b"").decode(errors="replace")
        since = headers.since if headers.since is not None and at - headers.since <= self.space.late else at
        sha256 = content_digest(headers.type, record.value)
        cause = self._cause(record, headers, key, headers.source, at, min(since, at), sha256)
        memory_key = self.memory.key(record.topic, key, headers.source, headers.id)
        known = self._known(memory_key, cause, at)
        if known is not None:
            return known
        if key == self._facts_key:
            content = self._content(headers.type, record.value, self._fact_types, public=False)
            fact = FactNoted(fact_type=headers.type, fact_json=record.value.decode())
            return self._noted(record, cause, memory_key, fact, content)
        if key.partition("/")[0] not in self._deciders:
            raise UnreadableError("unknown-aggregate", f"{self.service.name} has no aggregate {key}")
        content = self._content(headers.type, record.value, None, public=False)
        return self._decided(record.topic, record.offset, cause, memory_key, headers.type, content, None)

    def _noted(self, record: Record, cause: Cause, memory_key: bytes, fact: FactNoted, content: Message) -> Decision:
        """Note a fact, and let the aggregates it concerns decide it; or go on after those that have."""
        begun = self.unfinished is not None and self.unfinished[0] == cause.input
        facts = self.facts if begun else self._fold_fact(self.facts, fact)
        events: list[tuple[str, Event]] = [] if begun else [(cause.key, fact)]
        last, after = "", self.unfinished[1] if begun and self.unfinished else ""
        audience = () if self.service.audience is None else sorted(self.service.audience(facts, content))
        for key in audience:
            if key <= after:
                continue
            decided = self._audience_events(key, cause, fact.fact_type, content, facts)
            if decided and len(events) + len(decided) > AUDIENCE_EVENTS and last:
                more = cause._replace(more=last)
                return Decision(record.topic, record.offset, cause.at, more, tuple(events))
            if decided:
                events += [(key, event) for event in decided]
                last = key
        return Decision(record.topic, record.offset, cause.at, cause, tuple(events), memory_key=memory_key)

    def _audience_events(self, key: str, cause: Cause, wire: str, content: Message, facts: Any) -> Sequence[Event]:  # noqa: ANN401
        received = self._received(cause._replace(key=key), wire, content, None)
        events = self._deciders[key.partition("/")[0]].decide(self.state(key), facts, received)
        if events and isinstance(events[0], Refused):
            text = f"{self.service.name} refused {wire} from a sibling at {key}: {events[0]}"
            raise BrokenInvariantError(text)
        return events

    def _decide_public(self, record: Record, headers: InputHeaders, at: int) -> Decision:
        """Decide a public input, or a forwarded one."""
        assert record.value is not None
        topic = headers.stream or record.topic
        if topic not in self._public:
            raise UnreadableError("unknown-stream", f"{topic} is not a stream of {self.service.name}")
        sha256 = content_digest(headers.type, record.value)
        try:
            content = self._content(headers.type, record.value, self._public[topic].keys(), public=True)
            assert isinstance(content, Input)
        except ValidationError as error:
            return self._schema_refusal(record, headers, error)
        key = content.key()
        owner = partition_of(key, self.space.partitions)
        if owner != self.index:
            return self._forwarded(record, headers, owner, key)
        sender = prove(
            self.space,
            lambda principal: self.service.facts.principal(self.facts, principal),
            topic,
            headers,
            content,
            record.value,
        )
        if isinstance(sender, Refused):
            cause = self._cause(record, headers, key, "", at, at, sha256)
            return Decision(record.topic, record.offset, at, cause, ((self._kernel_key, sender),))
        cause = self._cause(record, headers, key, sender.id, at, at, sha256)
        memory_key = self.memory.key(topic, key, sender.id, headers.id)
        known = self._known(memory_key, cause, at)
        if known is not None:
            return known
        return self._decided(record.topic, record.offset, cause, memory_key, headers.type, content, sender)

    def _content(self, wire: str, value: bytes, accepted: Container[str] | None, *, public: bool) -> Message:
        """Decode; what a public sender can mend raises ValidationError, everything else UnreadableError."""
        try:
            if accepted is not None and current_wire(wire) not in accepted:
                raise UnknownTypeError(wire)
            return decode(wire, value)
        except UnknownTypeError:
            known = ", ".join(sorted(accepted)) if isinstance(accepted, Iterable) else "types of the schemas"
            raise UnreadableError("unknown-type", f"type {wire}; {known} are accepted") from None
        except ValidationError as error:
            # Bytes that are no JSON have no other problem; content may have as many as it has parts.
            if error.error_count() == 1 and (only := error.errors(include_url=False)[0])["type"] == "json_invalid":
                raise UnreadableError("not-json", f"the value of {wire} cannot be read: {only['msg']}") from None
            if public:
                raise
            first = next(problems(error, model_of(wire)))
            raise UnreadableError("schema", f"the value of {wire} cannot be read: {first}") from None
        except (ValueError, LookupError, ArithmeticError, TypeError, AttributeError) as error:
            raise UnreadableError("not-json", f"the value of {wire} cannot be read: {error}") from None

    def _cause(
        self, record: Record, headers: InputHeaders, key: str, sender: str, at: int, since: int, sha256: str
    ) -> Cause:
        return Cause(
            headers.id,
            headers.correlation,
            f"{self._prefixes[record.topic]}{record.offset}",
            key,
            sender,
            headers.stream,
            at,
            since,
            input_digest(record),
            sha256,
        )

    def _known(self, memory_key: bytes, cause: Cause, at: int) -> Decision | None:
        """Pass a repeat of an earlier input; refuse the same id with other content."""
        known = self.memory.find(memory_key, cause.content_sha256, at)
        if known is None:
            return None
        topic = self.service.topics[known.topic]
        earlier = f"{self._prefixes[topic]}{known.offset}"
        position = Position.parse(cause.input)
        if known.same:
            passed = PassedInput(
                offset=position.offset,
                fate="duplicate",
                at=at,
                input_sha256=cause.input_sha256,
                of=earlier,
                id=cause.id,
            )
            return Decision(position.topic, position.offset, at, passed=passed)
        refused = Refused(
            rule="input.id-reused",
            value=f"id {cause.id} with other content than {earlier}",
            accepted="the same content again, or a new id",
        )
        return Decision(
            position.topic, position.offset, at, cause._replace(content_sha256=""), ((self._kernel_key, refused),)
        )

    def _schema_refusal(self, record: Record, headers: InputHeaders, error: ValidationError) -> Decision:
        first = next(problems(error, model_of(headers.type), at_most=_HELD_MAX))
        path = first.path[:_HELD_MAX] or "value"
        value = f"{path}: {first.value}" if first.value else path
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        accepted = f"{headers.type}: {path}: {first.accepted}"
        refused = Refused(rule=f"schema.{path}", value=f"{value}{more}", accepted=accepted)
        at = self.instant(record)
        cause = self._cause(record, headers, self._kernel_key, "", at, at, "")
        return Decision(record.topic, record.offset, at, cause, ((self._kernel_key, refused),))

    def _forwarded(self, record: Record, headers: InputHeaders, owner: int, key: str) -> Decision:
        """Send a misplaced input to its owner's inbox, as it is, with where it came from."""
        at = self.instant(record)
        if headers.stream is not None:
            raise UnreadableError("misplaced", f"forwarded to partition {self.index}, but {key} is in {owner}")
        position = f"{self._prefixes[record.topic]}{record.offset}"
        kept = tuple((name, value) for name, value in record.headers if name not in ("ce_forwardedfrom", "ce_stream"))
        forward = Outgoing(
            self.service.inbox,
            owner,
            key.encode(),
            record.value,
            (*kept, ("ce_forwardedfrom", position.encode()), ("ce_stream", record.topic.encode())),
        )
        passed = PassedInput(
            offset=record.offset,
            fate="forwarded",
            at=at,
            input_sha256=input_digest(record),
            to_partition=owner,
            id=headers.id,
            key=key,
        )
        return Decision(record.topic, record.offset, at, passed=passed, forward=forward)

    def _decided(
        self,
        topic: str,
        offset: int,
        cause: Cause,
        memory_key: bytes,
        wire: str,
        content: Message,
        sender: Sender | None,
    ) -> Decision:
        events = self._events(cause.key, self._received(cause, wire, content, sender))
        if events and isinstance(events[0], Refused):
            if sender is None:
                text = f"{self.service.name} refused {wire} from a sibling: {events[0]}"
                raise BrokenInvariantError(text)
            home = cause.key if cause.key in self.sequences else self._kernel_key
            unknown = events[0].unknown
            return Decision(
                topic,
                offset,
                cause.at,
                cause,
                ((home, events[0]), *((cause.key, event) for event in events[1:])),
                memory_key=None if unknown else memory_key,
            )
        if not events:
            passed = PassedInput(
                offset=offset,
                fate="no-effect",
                at=cause.at,
                input_sha256=cause.input_sha256,
                id=cause.id,
                key=cause.key,
                sender=cause.sender,
                stream=cause.stream,
                content_sha256=cause.content_sha256,
            )
            return Decision(topic, offset, cause.at, passed=passed, memory_key=memory_key)
        return Decision(
            topic, offset, cause.at, cause, tuple((cause.key, event) for event in events), memory_key=memory_key
        )

    def _received(self, cause: Cause, wire: str, content: Message, sender: Sender | None) -> Received:
        return Received(
            cause.id,
            wire,
            cause.key,
            cause.at,
            cause.since,
            cause.sender,
            sender.principal if sender else None,
            cause.input,
            content,
            self.index,
            self.space.partitions,
        )

    def _events(self, key: str, received: Received) -> Sequence[Event]:
        decider = self._deciders[key.partition("/")[0]]
        return decider.decide(self.state(key), self.facts, received)

    def fire(self, key: str, deadline: Deadline, instant: int) -> Decision:
        """Say what a deadline causes at `instant`; raises BrokenInvariantError when it would stay open."""
        identifier = stable_id(self.space.name, self.service.name, key, "deadline", deadline.name, deadline.due)
        name = f"deadline/{deadline.name}/{format_instant(deadline.due)}"
        where = (self.index, self.space.partitions)
        received = Received(identifier, "deadline", key, instant, instant, "", None, name, deadline, *where)
        decider = self._deciders[key.partition("/")[0]]
        state = self.state(key)
        events = decider.decide(state, self.facts, received)
        for event in events:
            state = decider.evolve(state, event)
        if not events or deadline in tuple(decider.deadlines(state, self.facts)):
            text = f"deadline {deadline.name} of {key} caused {[event.wire for event in events]} and is still open"
            raise BrokenInvariantError(text)
        cause = Cause(identifier, identifier, name, key, "", None, instant, instant, "", "")
        return Decision("", -1, instant, cause, tuple((key, event) for event in events))

    # --- accepting

    def accept(self, decision: Decision, effects: Effects) -> None:
        """Fold a decision and add what is to be committed; changes nothing when it raises."""
        if decision.passed is not None:
            size = len(decision.passed.to_bytes())
            if self._pending_bytes + size > _PASSED_BYTES_MAX:
                self.flush(effects)
            self._pending.append((decision.topic, decision.passed))
            self._pending_bytes += size
            if decision.forward is not None:
                effects.sends.append(decision.forward)
                effects.bytes += len(decision.forward.value or b"") + 300
        elif decision.events:
            assert decision.cause is not None
            self.flush(effects)
            self._append(decision.cause, decision.events, decision.at, effects)
        if decision.cause is not None and decision.cause.more is not None:
            self.unfinished = (decision.cause.input, decision.cause.more)
            return
        if decision.topic:
            self._advance(decision.topic, decision.offset, decision.at)
        elif decision.cause is not None:
            self.fired_at = max(self.fired_at, decision.at)
        if self.unfinished is not None and decision.cause is not None and decision.cause.input == self.unfinished[0]:
            self.unfinished = None
        if decision.memory_key is not None:
            sha256 = decision.cause.content_sha256 if decision.cause else decision.passed.content_sha256  # type: ignore[union-attr]
            self.memory.remember(
                decision.memory_key, self._topic_numbers[decision.topic], decision.offset, decision.at, sha256 or ""
            )

    def _advance(self, topic: str, offset: int, at: int) -> None:
        self.next_offsets[topic] = offset + 1
        self.last_at[topic] = max(self.last_at[topic], at)

    def flush(self, effects: Effects) -> None:
        """Write the fates of inputs that left no other record, before what was decided after them."""
        if not self._pending:
            return
        ranges: list[tuple[str, list[PassedInput]]] = []
        for topic, passed in self._pending:
            if not ranges or ranges[-1][0] != topic:
                ranges.append((topic, []))
            ranges[-1][1].append(passed)
        event = InputsPassed(
            ranges=tuple(
                PassedRange(topic=topic, incarnation=self.incarnations[topic], inputs=tuple(inputs))
                for topic, inputs in ranges
            )
        )
        at = self._pending[-1][1].at
        self._append(None, ((self._kernel_key, event),), at, effects)
        self._pending.clear()
        self._pending_bytes = 0

    def start_release(self, now: int, effects: Effects) -> None:
        """Announce this release when the last record was decided by another, or under another configuration."""
        if self.release == self._own_release:
            return
        event = ReleaseStarted(version=VERSION, fingerprint=self.fingerprint, space_sha256=self._own_release[1])
        self._append(None, ((self._kernel_key, event),), now, effects)

    def _append(self, cause: Cause | None, events: Sequence[tuple[str, Event]], at: int, effects: Effects) -> None:
        chain, log, sends, size = self.chain, [], [], 0
        folded: dict[str, tuple[int, Any]] = {}
        facts, release = self.facts, self.release
        for key, event in events:
            sequence, state = folded.get(key) or (self.sequences.get(key, 0), None)
            sequence += 1
            event_id = stable_id(self.space.name, self.service.name, key, sequence)
            record, chain = log_record(
                self.service.log,
                self.index,
                self.source,
                key,
                sequence,
                event_id,
                event.wire,
                event.to_bytes(),
                at,
                cause,
                chain,
            )
            log.append(record)
            size += len(record.value or b"") + 900
            if isinstance(event, FactNoted):
                facts = self._fold_fact(facts, event)
            elif isinstance(event, ReleaseStarted):
                release = (event.fingerprint, event.space_sha256)
            elif event.wire not in self._kernel_folds:
                decider = self._deciders[key.partition("/")[0]]
                state = decider.evolve(self.state(key) if state is None else state, event)
                if event.wire in self._own_types:
                    facts = self._evolve_own(facts, key, event)
                assert cause is not None
                decided = Decided(key, sequence, cause.since, event)
                for message in messages(self.space, self.service, decided, event_id, cause.correlation):
                    sends.append(message)
                    size += len(message.value or b"") + 500
            folded[key] = (sequence, state)
            if len(record.value or b"") > RECORD_BYTES_MAX:
                text = f"{event.wire} of {key} has {len(record.value or b'')} bytes; at most {RECORD_BYTES_MAX}"
                raise BrokenInvariantError(text)
        # A decider that cannot say what is open must stop before its event is in the log: so ask here, not later.
        opened = {
            key: tuple(self._deciders[key.partition("/")[0]].deadlines(state, facts))
            for key, (_, state) in folded.items()
            if state is not None
        }
        for key, (sequence, state) in folded.items():
            self.sequences[key] = sequence
            if state is not None:
                self.states[key] = state
                self._touched.discard(key)
                self.deadlines.update(key, opened[key])
        self.facts, self.release, self.chain = facts, release, chain
        effects.log += log
        effects.sends += sends
        effects.bytes += size

    def restore(self, key: str, state: Any) -> None:  # noqa: ANN401
        """Hold an aggregate's state; what is open on it is looked at when the next deadline is asked for."""
        self.states[key] = state
        self._touched.add(key)

    def earliest(self) -> tuple[str, Deadline] | None:
        """Return the open deadline that counts first, and its aggregate."""
        soonest = self.soonest()
        return None if soonest is None else soonest[1:]

    def soonest(self, *, late_before: int = 0, late_instant: int = 0) -> tuple[int, str, Deadline] | None:
        """Return the open deadline that counts first, at which instant, and its aggregate.

        What was due before `late_before` is late: it counts at `late_instant`, and what is on time comes first.
        """
        for key in self._touched:
            decider = self._deciders[key.partition("/")[0]]
            self.deadlines.update(key, decider.deadlines(self.states[key], self.facts))
        self._touched.clear()
        if late_before:
            self.deadlines.postpone(late_before, late_instant)
        return self.deadlines.soonest()

    def _fold_fact(self, facts: Any, event: FactNoted) -> Any:  # noqa: ANN401
        return self.service.facts.evolve(facts, decode(event.fact_type, event.fact_json.encode()))

    # --- applying

    def apply(self, record: Record) -> Message:
        """Fold one stored log record and return its content.

        Raises BrokenInvariantError on a broken sequence, and on what this release cannot read.
        """
        try:
            return self._apply(record)
        except (UnknownTypeError, ValidationError) as error:
            text = f"{record.position}: this release cannot read it, so a newer one may have written it: {error}"
            raise BrokenInvariantError(text) from error

    def _apply(self, record: Record) -> Message:
        headers = dict(record.headers)
        assert record.key is not None
        assert record.value is not None
        wire = headers["ce_type"].decode()
        event = decode(wire, record.value)
        if wire == TopicStarted.wire:
            return event
        key, sequence = record.key.decode(), int(headers["ce_sequence"])
        if sequence != self.sequences.get(key, 0) + 1:
            text = f"{record.position}: {key} has sequence {sequence} after {self.sequences.get(key, 0)}"
            raise BrokenInvariantError(text)
        self.sequences[key] = sequence
        self._chain_hex = headers["ce_chain"]
        fold = self._kernel_folds.get(wire)
        if fold is not None:
            fold(event)
        else:
            assert isinstance(event, Event)
            decider = self._deciders[key.partition("/")[0]]
            self.restore(key, decider.evolve(self.state(key), event))
            if wire in self._own_types:
                self.facts = self._evolve_own(self.facts, key, event)
        position = headers.get("ce_input")
        # An input's first record says all there is to know of it.
        if position is not None and position.startswith(b"deadline/"):
            self.fired_at = max(self.fired_at, parse_instant(headers["ce_time"].decode()))
        elif position is not None and position != self._applied:
            if "ce_more" in headers:
                self.unfinished = (position.decode(), headers["ce_more"].decode())
            else:
                self._apply_input(record.key, headers, event, position)
                self._applied, self.unfinished = position, None
        return event

    def _apply_input(self, key: bytes, headers: dict[str, bytes], event: Message, position: bytes) -> None:
        place, _, number = position.rpartition(b"/")
        topic, offset = self._places[place], int(number)
        if offset < self.next_offsets[topic]:
            return
        at = parse_instant(headers["ce_time"].decode())
        self._advance(topic, offset, at)
        sha256, sender = headers.get("ce_contentsha256"), headers.get("ce_sender")
        if sha256 is None or sender is None or (isinstance(event, Refused) and event.unknown):
            return
        stream, input_key = headers.get("ce_stream") or topic.encode(), headers.get("ce_inputkey") or key
        unique = b"\n".join((stream, input_key, sender, headers["ce_causationid"]))
        self.memory.remember_later(unique, self._topic_numbers[topic], offset, at, sha256)

    def _apply_release(self, event: ReleaseStarted) -> None:
        self.release = (event.fingerprint, event.space_sha256)

    def _apply_fact(self, event: FactNoted) -> None:
        self.facts = self._fold_fact(self.facts, event)

    def _apply_passed(self, event: InputsPassed) -> None:
        for topic_range in event.ranges:
            for passed in topic_range.inputs:
                self._advance(topic_range.topic, passed.offset, passed.at)
                if passed.fate == "no-effect":
                    stream = passed.stream or topic_range.topic
                    unique = f"{stream}\n{passed.key or ''}\n{passed.sender or ''}\n{passed.id or ''}"
                    self.memory.remember_later(
                        unique.encode(),
                        self._topic_numbers[topic_range.topic],
                        passed.offset,
                        passed.at,
                        (passed.content_sha256 or "").encode(),
                    )
