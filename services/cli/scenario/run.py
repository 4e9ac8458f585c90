"""Running a scenario: the whole embedded system in memory, on a virtual clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from schemas.envelope import Input, Outgoing, decode
from schemas.problems import shown
from schemas.topics import OWNED
from services.cli.scenario.asking import Asker
from services.cli.scenario.compare import Difference, differences
from services.cli.scenario.given import Entry, entries, people_of, rulebook_of
from services.cli.scenario.model import (
    SETUP_BEFORE,
    TYPES,
    EventStep,
    GetStep,
    PostStep,
    Scenario,
    ScenarioError,
    StepPart,
)
from services.cli.scenario.names import GATEWAY, NOBODY, SPACE, Names, UnknownNameError, incarnation, key, public_key
from services.cli.scenario.seen import Seen
from services.cli.scenario.show import Show
from services.embedded import Embedded
from services.kernel.clock import VirtualClock
from services.kernel.memory_store import MemoryStore
from services.kernel.partitioner import partition_of
from services.kernel.proofs import vouch
from services.kernel.space import space_json
from services.kernel.sqlite_store import SqliteStore
from services.kernel.wire import input_record
from services.registry import TOPIC_NAMES, new_space

PARTITIONS = 2
_DECIDED = {"fate": "decided"}
"""What is expected of an input of which a file says nothing else."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that was not met: where it stands in the file, when and of what it was, and what differs."""

    path: str
    at: int
    what: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Posted:
    """An input that was posted, and what its outcome must contain."""

    path: str
    at: int
    id: str
    wire: str
    who: str
    content: Any
    note: str
    expected: Any


@dataclass(slots=True)
class Result:
    """What came of a scenario."""

    expectations: int = 0
    failures: list[Failure] = field(default_factory=list)
    log_hash: str = ""


class Simulation:
    """One run of one scenario; `log` is the file that keeps the log, which is in memory otherwise.

    Raises ScenarioError when made from a file that cannot be run.
    """

    def __init__(self, scenario: Scenario, path: Path, show: Show, log: Path | None = None) -> None:
        self.scenario = scenario
        self.names = Names(scenario.start, people_of(scenario))
        self.result = Result()
        self._path = path
        self._show = show
        try:
            self._entries = entries(scenario, rulebook_of(scenario, path.parent))
        except ScenarioError as error:
            raise ScenarioError(*(f"{path}: {problem}" for problem in error.problems)) from error
        self._steps = [self._filled(number, step) for number, step in enumerate(scenario.timeline)]
        self.space = new_space(SPACE, PARTITIONS, public_key("root"))
        self.clock = VirtualClock(scenario.start - SETUP_BEFORE)
        self.store: MemoryStore | SqliteStore
        if log is None:
            self.store = MemoryStore(SPACE, TOPIC_NAMES, PARTITIONS, self.clock, incarnation)
        else:
            config = space_json(self.space)
            self.store = SqliteStore.create(log, SPACE, TOPIC_NAMES, PARTITIONS, self.clock, incarnation, config)
        self.embedded = Embedded(self.space, self.store)
        self._asker = Asker(self.space, self.store)
        self._seen = Seen(PARTITIONS)
        self._told = 0
        self._made = 0
        self._waiting: dict[str, Posted] = {}

    # --- the file

    def _filled(self, number: int, step: StepPart) -> StepPart:
        """Put accounts and instants where names stand."""
        filled = {}
        for name in ("content", "contents", "expect", "answer", "contains", "get", "on", "raw"):
            held = getattr(step, name, None)
            if held is None:
                continue
            try:
                value = self.names.fill(held)
            except UnknownNameError as error:
                problem = f"{self._path}: timeline.{number}.{name}: {shown(error.held)}: {error}"
                raise ScenarioError(problem) from error
            filled[name] = tuple(value) if name == "contents" else value
        return step.model_copy(update=filled)

    # --- the run

    async def run(self) -> Result:
        """Run to the end of the timeline."""
        self._show.begins(self._path, self.scenario, self.names)
        await self._give()
        self._show.starts()
        for number, step in enumerate(self._steps):
            await self._to(self.scenario.start + step.at)
            path = f"timeline.{number}"
            match step:
                case PostStep():
                    await self._post(path, step)
                case GetStep():
                    await self._get(path, step)
                case EventStep():
                    self._event(path, step)
                case _:
                    raise TypeError(path)
        if self._waiting:
            # What came at the very end of a window waits until clocks that differ have passed it.
            await self._to(self.clock.now() + self.space.skew + 1)
        for posted in self._waiting.values():
            self._check(posted.path, f"{posted.wire}, id {posted.id}", posted.expected, {})
        self.result.log_hash = self.embedded.log_hash()
        self._show.ends(self.result)
        return self.result

    async def close(self) -> None:
        """Close the read model, and the log that is kept."""
        await self._asker.close()
        if isinstance(self.store, SqliteStore):
            self.store.close()

    async def _give(self) -> None:
        """Post what is given; what is refused makes the file wrong."""
        problems = []
        for entry in self._entries:
            await self._to(max(entry.at, self.clock.now()), quiet=True)
            position = await self._put(self._given_record(entry))
            await self._settle()
            outcome = self._seen.outcomes.get(position)
            if outcome is not None and outcome.refusal is not None:
                refusal = outcome.refusal
                value, accepted = self.names.plain(refusal.value), self.names.plain(refusal.accepted)
                problems.append(f"{self._path}: {entry.path}: {value}: must be {accepted} ({refusal.rule})")
        self._told = len(self._seen.happened)
        self._show.given(self._seen.happened)
        if problems:
            raise ScenarioError(*problems)
        await self._to(self.scenario.start)

    def _given_record(self, entry: Entry) -> Outgoing:
        self._made += 1
        to_key = entry.content.key()
        identifier = f"{entry.path}-{self._made}"
        return self._record(
            entry.stream, entry.content.wire, identifier, to_key, entry.content.to_bytes(), entry.principal
        )

    def _record(
        self, stream: str, wire: str, identifier: str, to_key: str, value: bytes, principal: str | None
    ) -> Outgoing:
        """Make the record that the sender's client library would make."""
        source = f"/{principal or OWNED.get(stream, 'nobody')}"
        partition = partition_of(to_key, PARTITIONS)
        record = input_record(stream, partition, to_key, id=identifier, source=source, wire=wire, value=value)
        return record if principal is None else vouch(key(principal), principal, SPACE, [record])[0]

    async def _put(self, record: Outgoing) -> str:
        return str((await self.embedded.put([record]))[0])

    async def _post(self, path: str, step: PostStep) -> None:
        contents: Sequence[Any] = step.contents if step.contents is not None else [step.content or step.raw]
        stream, _ = TYPES[step.post]
        principal = step.principal or (None if stream in OWNED else GATEWAY)
        if principal == NOBODY:
            principal = None
        who = principal or OWNED.get(stream, NOBODY)
        for number, content in enumerate(contents):
            self._made += 1
            identifier = step.id or f"{step.post.partition('.v')[0]}-{self._made}"
            value = content.encode() if isinstance(content, str) else orjson.dumps(content)
            to_key = _key(step.post, value) or identifier
            record = self._record(stream, step.post, identifier, to_key, value, principal)
            place = f"{path}.contents.{number}" if step.contents is not None else path
            note = step.note if number == 0 else ""
            expected = step.expect or _DECIDED
            posted = Posted(place, self.clock.now(), identifier, step.post, who, content, note, expected)
            self._waiting[await self._put(record)] = posted
        await self._settle()
        self._tell()

    async def _get(self, path: str, step: GetStep) -> None:
        answered = await self._asker.ask(step.get)
        if answered.is_wrong_question and answered.status != step.status:
            detail, accepted = answered.content["detail"], answered.content.get("accepted")
            more = f": must be {accepted}" if accepted else ""
            raise ScenarioError(f"{self._path}: {path}.get: {shown(step.get)}: {detail}{more}")
        found = differences(step.status, answered.status, "(status)")
        found += differences(step.answer, answered.content)
        self._judge(path, f"GET {step.get}", step.answer, found, step.note)

    def _event(self, path: str, step: EventStep) -> None:
        recorded = [
            happened
            for happened in self._seen.happened
            if happened.event.wire == step.event and step.on in (None, happened.key)
        ]
        found = [(happened, differences(step.contains, happened.content())) for happened in recorded]
        count = sum(not differing for _, differing in found)
        what = f"{step.event}{f' on {step.on}' if step.on else ''}"
        if step.count is not None:
            often = f"{what}, {step.count} times"
            self._judge(path, often, step.contains, differences(step.count, count, "(how often)"), step.note)
            return
        if count:
            self._judge(path, what, step.contains, [], step.note)
            return
        # The nearest: what somebody who reads the difference looks for.
        nearest = min((differing for _, differing in found), key=len, default=[Difference("(how often)", "≥ 1", 0)])
        self._judge(path, what, step.contains, nearest, step.note)

    def _check(self, path: str, what: str, expected: Any, actual: Any) -> bool:  # noqa: ANN401 - JSON
        found = differences(expected, actual)
        self.result.expectations += 1
        if found:
            self.result.failures.append(Failure(path, self.clock.now(), what, tuple(found)))
        return not found

    def _judge(self, path: str, what: str, content: Any, found: list[Difference], note: str) -> None:  # noqa: ANN401
        self.result.expectations += 1
        failure = Failure(path, self.clock.now(), what, tuple(found)) if found else None
        if failure is not None:
            self.result.failures.append(failure)
        self._show.expected(self.clock.now(), what, content, failure, note)

    # --- time

    async def _to(self, instant: int, *, quiet: bool = False) -> None:
        """Go to an instant, through everything that falls due before it."""
        while True:
            due = await self._settle()
            if not quiet:
                self._tell()
            if due is None or due > instant:
                break
            self.clock.advance_to(due)
        self.clock.advance_to(instant)
        await self._settle()
        if not quiet:
            self._tell()

    async def _settle(self) -> int | None:
        """Run until nothing moves at this instant; reading after each round puts causes before what they cause."""
        while True:
            moved, held, due = await self.embedded.round()
            await self._seen.read(self.store)
            if self.embedded.stopped:
                raise self.embedded.stopped[0]
            if not moved and not held:
                return due

    def _tell(self) -> None:
        """Show what is new: answers with the events they are about, and the rest."""
        news = self._seen.happened[self._told :]
        self._told = len(self._seen.happened)
        for position in [held for held in self._waiting if held in self._seen.outcomes]:
            posted, outcome = self._waiting.pop(position), self._seen.outcomes[position]
            caused = [happened for happened in news if happened.input == position]
            news = [happened for happened in news if happened.input != position]
            what = f"{posted.wire}, id {posted.id}"
            met = self._check(posted.path, what, posted.expected, orjson.loads(outcome.to_bytes()))
            failure = None if met else self.result.failures[-1]
            self._show.answered(posted, outcome, caused, failure)
        self._show.happened(news)


def _key(wire: str, value: bytes) -> str | None:
    """Compute the key of content that can be read, as a client would."""
    try:
        content = decode(wire, value)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return content.key() if isinstance(content, Input) else None
