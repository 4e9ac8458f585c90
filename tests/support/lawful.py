"""All deciders of some services in one pure little world that holds every decision against the laws of deciders.

Messages between services wait in inboxes until somebody delivers them, so that what Kafka can put between a decision
and those who hear of it happens here too. There is no engine: what is tested are decide, evolve, deadlines and route.
"""

from collections import Counter, deque
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from schemas.envelope import Event, Input, Message
from schemas.instants import DAY
from services.kernel.decider import BROADCAST, Deadline, Decided, DecisionService, Received, Refused
from services.kernel.wire import stable_id

LONG = 8 * DAY
"""Later than the kernel remembers ids: from here on the state itself must know what was done."""
FIRINGS_MAX = 200


class Put(NamedTuple):
    """A public input, of a proven sender."""

    content: Input
    sender: str


class Deliver(NamedTuple):
    """One waiting message of a service's inbox; None: all messages of all inboxes, until none is left."""

    service: str | None = None


class Tick(NamedTuple):
    """Time passes; what falls due fires."""

    milliseconds: int


Step = Put | Deliver | Tick


class Waiting(NamedTuple):
    """A message in an inbox."""

    key: str
    content: Message
    since: int
    source: str


@lru_cache(maxsize=64)
def _codec(state: type) -> TypeAdapter[Any]:
    return TypeAdapter(state)


def assert_snapshot_reads_back(kind: type, held: object) -> None:
    """Demand that the codec of snapshots spells what it can read."""
    codec = _codec(kind)
    again = codec.validate_json(codec.dump_json(held))
    assert again == held, f"a snapshot of {held} is read as {again}"


class LawfulWorld:
    """States and facts of every service; `seen` counts the events there were."""

    def __init__(self, services: Sequence[DecisionService[Any]], start: int) -> None:
        self.services = {service.name: service for service in services}
        self.now = start
        self.seen: Counter[str] = Counter()
        self.states: dict[str, Any] = {}
        self.facts = {service.name: service.facts.initial() for service in services}
        self.inboxes: dict[str, deque[Waiting]] = {service.name: deque() for service in services}
        self._readers = {model: service for service in services for stream in service.inputs for model in stream.types}
        self._inputs = 0

    def take(self, step: Step) -> None:
        """Take one step of a history."""
        match step:
            case Put():
                service = self._readers[type(step.content)]
                self._decide(service, step.content.key(), step.content, self.now, step.sender)
            case Deliver():
                self._deliver_to(step.service)
            case Tick():
                self._pass_time(step.milliseconds)

    def _deliver_to(self, name: str | None) -> None:
        if name is not None:
            self._deliver(name)
            return
        while any(self.inboxes.values()):
            for each in self.inboxes:
                self._deliver(each)

    def _deliver(self, name: str) -> None:
        if not self.inboxes[name]:
            return
        message, service = self.inboxes[name].popleft(), self.services[name]
        if message.key == BROADCAST:
            assert type(message.content) in service.facts.types, f"{name} does not read {message.content.wire}"
            self.facts[name] = service.facts.evolve(self.facts[name], message.content)
            assert_snapshot_reads_back(service.facts.state, self.facts[name])
            concerned = () if service.audience is None else service.audience(self.facts[name], message.content)
            for key in sorted(concerned):
                self._hear(service, key, message)
            return
        kind = message.key.removeprefix(BROADCAST)
        self._hear(service, message.key if kind == message.key else f"{kind}/0", message)

    def _hear(self, service: DecisionService[Any], key: str, message: Waiting) -> None:
        events = self._decide(service, key, message.content, message.since, message.source)
        assert not any(isinstance(event, Refused) for event in events), f"{message} of a sibling is refused: {events}"

    def _pass_time(self, milliseconds: int) -> None:
        until = self.now + milliseconds
        for _ in range(FIRINGS_MAX):
            due = [deadline for deadline in self._open() if deadline[0] <= until]
            if not due:
                self.now = until
                return
            instant, key, name, service = min(due, key=lambda deadline: deadline[:3])
            self.now = max(self.now, instant)
            deadline = Deadline(name, instant)
            events = self._decide(self.services[service], key, deadline, instant, "")
            assert events, f"{deadline} of {key} causes nothing"
            assert deadline not in self._deadlines(self.services[service], key), f"{deadline} of {key} is still open"
        raise AssertionError("deadlines never end")

    def _open(self) -> list[tuple[int, str, str, str]]:
        return [
            (deadline.due, key, deadline.name, service.name)
            for service in self.services.values()
            for key in self.states
            if key.partition("/")[0] in service.deciders
            for deadline in self._deadlines(service, key)
        ]

    def _deadlines(self, service: DecisionService[Any], key: str) -> list[Deadline]:
        decider, state = service.deciders[key.partition("/")[0]], self.states[key]
        listed = list(decider.deadlines(state, self.facts[service.name]))
        assert listed == list(decider.deadlines(state, service.facts.initial())), "deadlines follow from states alone"
        assert len({deadline.name for deadline in listed}) == len(listed), f"two deadlines of one name: {listed}"
        return listed

    def _decide(
        self, service: DecisionService[Any], key: str, content: Message | Deadline, since: int, sender: str
    ) -> Sequence[Event]:
        self._inputs += 1
        at = since if isinstance(content, Deadline) else self.now
        wire = "deadline" if isinstance(content, Deadline) else content.wire
        identifier = stable_id("input", self._inputs)
        received = Received(identifier, wire, key, at, since, sender, sender or None, f"position {identifier}", content)
        decider, facts = service.deciders[key.partition("/")[0]], self.facts[service.name]
        before = self.states.get(key)
        if before is None:
            before = decider.initial(key)
        events = tuple(decider.decide(before, facts, received))
        assert events == tuple(decider.decide(before, facts, received)), f"{received} is decided in two ways"
        after = before
        for event in events:
            after = after if isinstance(event, Refused) else decider.evolve(after, event)
        # What was refused may be accepted later: nothing was done yet. What was done is never done again.
        effective = any(not isinstance(event, Refused) for event in events)
        for later in (0, LONG) if effective else (0,):
            again = decider.decide(after, facts, received._replace(at=at + later, since=since + later))
            assert all(isinstance(event, Refused) for event in again), f"{received}, decided twice, causes {again}"
        assert_snapshot_reads_back(decider.state, after)
        self._note(service, key, events, after, since)
        return events

    def _note(
        self, service: DecisionService[Any], key: str, events: Sequence[Event], after: object, since: int
    ) -> None:
        self.seen.update(event.wire for event in events)
        decided = [event for event in events if not isinstance(event, Refused)]
        if decided:
            self.states[key] = after
        for event in decided:
            if type(event) in getattr(service.facts, "own", ()):
                self.facts[service.name] = service.facts.evolve_own(self.facts[service.name], key, event)  # type: ignore[attr-defined]
        for sequence, event in enumerate(decided, 1):
            for send in service.route(Decided(key, sequence, since, event)):
                if send.receiver in self.inboxes:
                    waiting = Waiting(send.key, send.content, since, f"/world/{service.name}")
                    self.inboxes[send.receiver].append(waiting)
