"""A small world for one test: a space, a store of some kind, toy services' engines, and a clock that the test moves.

Nothing here knows which store it is; what only some stores can do is asked of them by `holding`. Engines use the store
through a `FaultyStore`, which does nothing until a test plans a fault.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from schemas.envelope import Event, Input, Message, Outgoing, Position, Record, decode
from schemas.instants import parse_instant
from services.kernel.clock import VirtualClock
from services.kernel.decider import DecisionService
from services.kernel.engine import Engine, Limits, PartitionStoppedError, Progress
from services.kernel.partitioner import partition_of
from services.kernel.records import InputsPassed, PassedInput, TopicStarted
from services.kernel.space import Space
from services.kernel.wire import input_record, message_record

from .faulty_store import FaultyStore
from .stores import HoldsBack, Layout, StoreKind
from .toy import BANK, TILL

START = 1_700_000_000_000
ROUNDS_MAX = 10_000
OWNED = {"coins": "mint", "rates": "boss"}
VAULT = "vault/main"

NewHarness = Callable[..., "Harness"]
Content = TypeVar("Content", bound=Message)
Answer = TypeVar("Answer")


class Entry(NamedTuple):
    """One log record, read."""

    offset: int
    key: str
    type: str
    at: int
    content: Message
    headers: Mapping[str, str]


def _nothing(*_: object) -> None:
    pass


def read(record: Record) -> Entry:
    """Read a log record."""
    headers = {name: value.decode() for name, value in record.headers}
    assert record.key is not None
    assert record.value is not None
    wire = headers["ce_type"]
    at = parse_instant(headers["ce_time"])
    return Entry(record.offset, record.key.decode(), wire, at, decode(wire, record.value), headers)


class Harness:
    """One space on one store. Engines are made when first asked for and can be thrown away (`restart`)."""

    def __init__(
        self,
        kind: StoreKind,
        folder: Path,
        *,
        services: Sequence[DecisionService[Any]] = (TILL, BANK),
        space: Space | None = None,
        limits: Limits | None = None,
        snapshots: bool = False,
    ) -> None:
        self.kind = kind
        self.services = {service.name: service for service in services}
        self.space = space or Space("toy", 2, owned=OWNED)
        self.clock = VirtualClock(START)
        self.limits = limits
        self.snapshots = folder / "snapshots" if snapshots else None
        self.stopped: dict[tuple[str, int], PartitionStoppedError] = {}
        topics = sorted({topic for service in services for topic in (*service.topics, service.log)})
        self._runner = asyncio.Runner()
        self._layout = Layout(self.space, topics, self.clock, folder, self.wait)
        self._raw = kind.create(self._layout)
        self.store = FaultyStore(self._raw)
        self._engines: dict[tuple[str, int], Engine] = {}
        self._ids = 0
        self.after_step: Callable[[str, int], None] = _nothing

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kind.close(self._raw, self._layout)
        self._runner.close()

    def wait(self, answer: Awaitable[Answer]) -> Answer:
        """Run something asynchronous to its end."""

        async def run() -> Answer:
            return await answer

        return self._runner.run(run())

    # --- time

    def pass_time(self, milliseconds: int) -> int:
        """Let time pass and return the instant it is now."""
        self.clock.advance_to(self.clock.now() + milliseconds)
        return self.store.now()

    @property
    def holding(self) -> HoldsBack:
        """The store's power to keep things invisible; only for tests of stores that have it."""
        assert isinstance(self._raw, HoldsBack)
        return self._raw

    # --- input

    def home(self, key: str) -> int:
        """Return the partition of an aggregate."""
        return partition_of(key, self.space.partitions)

    def name_in(self, partition: int, kind: str = "till", nth: int = 0) -> str:
        """Return the nth name whose aggregate lives in a partition."""
        names = (f"n{number}" for number in range(1_000))
        at_home = [name for name in names if self.home(f"{kind}/{name}") == partition]
        return at_home[nth]

    def stream_of(self, content: Input) -> str:
        """Return the public topic that takes an input."""
        streams = (stream for service in self.services.values() for stream in service.inputs)
        return next(stream.name for stream in streams if type(content) in stream.types)

    def record(
        self,
        content: Input,
        *,
        id: str | None = None,  # noqa: A002 - the attribute's name
        partition: int | None = None,
        source: str = "/machine",
        extra: Mapping[str, bytes] | None = None,
    ) -> Outgoing:
        """Build a public record as a standard producer would, but for what is said otherwise."""
        self._ids += 1
        key = content.key()
        record = input_record(
            self.stream_of(content),
            self.home(key) if partition is None else partition,
            key,
            id=id or f"input-{self._ids}",
            source=source,
            wire=content.wire,
            value=content.to_bytes(),
        )
        return record._replace(headers=(*record.headers, *(extra or {}).items()))

    def append(self, *records: Outgoing) -> list[Position]:
        """Append records as an outsider would."""
        return self.wait(self._raw.append(records))

    def put(self, content: Input, **how: Any) -> Position:  # noqa: ANN401 - the arguments of `record`
        """Build a public record and append it."""
        return self.append(self.record(content, **how))[0]

    def facts(self, service: str, fact: Message) -> list[Outgoing]:
        """Build a broadcast to a service as a sibling would: one message for each partition."""
        self._ids += 1
        return [
            self._message(service, number, f"facts/{number}", fact, f"fact-{self._ids}-{number}", self.store.now())
            for number in range(self.space.partitions)
        ]

    def tell(self, service: str, fact: Message) -> None:
        """Broadcast a fact to a service as a sibling would."""
        self.append(*self.facts(service, fact))

    def send(self, service: str, key: str, content: Message, *, id: str, since: int) -> Position:  # noqa: A002
        """Send a service a message as a sibling would."""
        return self.append(self._message(service, self.home(key), key, content, id, since))[0]

    def _message(
        self,
        service: str,
        partition: int,
        key: str,
        content: Message,
        id: str,  # noqa: A002
        since: int,
    ) -> Outgoing:
        return message_record(
            f"{service}.inbox", partition, key, id, content.wire, content.to_bytes(), "/toy/sibling", id, id, since
        )

    # --- running

    def new_engine(self, service: str, partition: int, *, snapshots: bool = True) -> Engine:
        """Make an engine of its own: another owner, or one that comes back; it may know of no snapshots."""
        return Engine(
            self.space,
            self.services[service],
            self.store,
            partition,
            limits=self.limits,
            snapshots=self.snapshots if snapshots else None,
        )

    def engine(self, service: str, partition: int) -> Engine:
        """Return the engine that `run_until_idle` drives."""
        place = (service, partition)
        if place not in self._engines:
            self._engines[place] = self.new_engine(service, partition)
        return self._engines[place]

    def places(self) -> list[tuple[str, int]]:
        """List every service and partition."""
        return [(service, number) for service in self.services for number in range(self.space.partitions)]

    def step(self, service: str, partition: int) -> Progress:
        """Have one engine decide and commit one batch; `after_step` may look at it, or restart everything."""
        progress = self.wait(self.engine(service, partition).step())
        self.after_step(service, partition)
        return progress

    def run_until_idle(self, only: Iterable[tuple[str, int]] | None = None) -> None:
        """Step engines until none has anything to do now; those a bug stops are noted in `stopped`."""
        places = list(only or self.places())
        for _ in range(ROUNDS_MAX):
            more = [self._more(place) for place in places]
            if not any(more):
                return
        raise AssertionError("the engines do not come to rest")

    def _more(self, place: tuple[str, int]) -> bool:
        if place in self.stopped:
            return False
        try:
            return self.step(*place).more
        except PartitionStoppedError as error:
            self.stopped[place] = error
            return False

    def restart(self) -> None:
        """Throw all engines away, close and open the store: what is not in it is lost."""
        self._engines.clear()
        self.stopped.clear()
        self._raw = self.kind.reopen(self._raw, self._layout)
        self.store = FaultyStore(self._raw)

    # --- reading

    def records(self, topic: str, partition: int) -> list[Record]:
        """Read a topic partition, without its marker."""

        async def collect() -> list[Record]:
            return [record async for chunk in self._raw.replay(topic, partition, 0) for record in chunk]

        return [
            record for record in self.wait(collect()) if ("ce_type", TopicStarted.wire.encode()) not in record.headers
        ]

    def log(self, service: str, partition: int | None = None) -> list[Entry]:
        """Read a log, or one partition of it."""
        numbers = range(self.space.partitions) if partition is None else (partition,)
        topic = self.services[service].log
        return [read(record) for number in numbers for record in self.records(topic, number)]

    def events(self, service: str, kind: type[Content], partition: int | None = None) -> list[Content]:
        """Return what a log holds of one type."""
        return [entry.content for entry in self.log(service, partition) if isinstance(entry.content, kind)]

    def story(self, service: str, partition: int | None = None) -> list[str]:
        """List the types of a log's events, without the kernel's own book-keeping."""
        book_keeping = {"release.started.v1", "inputs.passed.v1"}
        return [entry.type for entry in self.log(service, partition) if entry.type not in book_keeping]

    def passed(self, service: str, partition: int | None = None) -> list[PassedInput]:
        """List the fates that have no record of their own."""
        return [
            passed
            for event in self.events(service, InputsPassed, partition)
            for passed_range in event.ranges
            for passed in passed_range.inputs
        ]

    def state(self, service: str, key: str) -> Any:  # noqa: ANN401 - each aggregate has its own
        """Return an aggregate's state as its engine holds it."""
        return self.engine(service, self.home(key)).partition.state(key)

    def entry_of(self, service: str, kind: type[Event]) -> Entry:
        """Return the one log record of a type."""
        (entry,) = [entry for entry in self.log(service) if isinstance(entry.content, kind)]
        return entry
