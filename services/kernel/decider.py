"""The contract of a decision service: all that its pure modules may know of the kernel.

A decider is a pure function of state, facts and input. Time, ids and senders arrive in `Received`; nothing here or in
a decider reads a clock, draws a number or does IO.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from schemas.envelope import Event, InputTopic, Message

from .records import Refused

__all__ = [
    "BROADCAST",
    "Deadline",
    "Decided",
    "Decider",
    "DecisionService",
    "FactsFold",
    "Principal",
    "Received",
    "Refused",
    "Send",
    "each",
]

BROADCAST = "*"
"""The key of a message that goes to every partition of its receiver, into its facts."""


def each(kind: str) -> str:
    """Return the key of a message to an aggregate of that kind in every partition of its receiver: `<kind>/<n>`."""
    return f"{BROADCAST}{kind}"


class Deadline(NamedTuple):
    """Something falls due at `due` (milliseconds); `name` says what and is unique among an aggregate's open ones."""

    name: str
    due: int


class Received(NamedTuple):
    """An input as a decider sees it.

    `at` is when it was appended, `since` the instant from which durations run, both in milliseconds. `sender` is the
    proven account or principal (for a sibling's message, the sibling's source; empty for a deadline), `principal` the
    one who vouched. `content` is the message, or the `Deadline` that fired. `partition` is where it is decided, of
    `partitions` that the space has.
    """

    id: str
    type: str
    key: str
    at: int
    since: int
    sender: str
    principal: str | None
    position: str
    content: Message | Deadline
    partition: int = 0
    partitions: int = 1


StateT = TypeVar("StateT")
FactsT = TypeVar("FactsT")
FactsT_contra = TypeVar("FactsT_contra", contravariant=True)


class Decider(Protocol[StateT, FactsT_contra]):
    """One kind of aggregate. All four functions are pure.

    `decide` returns the events that the input causes, or a single `Refused`, or nothing; deciding the same input on
    the state that its events led to must return nothing but a refusal. `deadlines` lists what is open now; a deadline
    that fires must cause events after which it is listed no more.
    """

    state: type[StateT]
    """The class of states, a frozen dataclass with slots: snapshots are encoded from its annotations."""

    def initial(self, key: str) -> StateT:
        """Return the state of an aggregate before its first event."""

    def evolve(self, state: StateT, event: Event) -> StateT:
        """Fold one event; never refuses a recorded fact."""

    def decide(self, state: StateT, facts: FactsT_contra, received: Received) -> Sequence[Event]:
        """Decide one input."""

    def deadlines(self, state: StateT, facts: FactsT_contra) -> Iterable[Deadline]:
        """List what is open now."""


@dataclass(frozen=True, slots=True)
class Principal:
    """An Ed25519 key that governance registered, with what it may do.

    `public_key` is 32 bytes in hex. `streams` are the topics it may write, `accounts` those it may act for; `*`
    stands for all.
    """

    id: str
    public_key: str
    streams: frozenset[str]
    accounts: frozenset[str]


class FactsFold(Protocol[FactsT]):
    """What a service knows of its siblings: a fold over broadcasts.

    One that keeps indexes over its own partition (`OwnFold`) also folds events of the service's own log.
    """

    state: type[FactsT]
    types: tuple[type[Message], ...]

    def initial(self) -> FactsT:
        """Return the facts before the first broadcast."""

    def evolve(self, facts: FactsT, fact: Message) -> FactsT:
        """Fold one broadcast."""

    def principal(self, facts: FactsT, principal: str) -> Principal | None:
        """Look up a registered principal."""


class OwnFold(FactsFold[FactsT], Protocol[FactsT]):
    """Facts that also keep what was decided in the same partition, such as which cases of a product are open."""

    own: tuple[type[Event], ...]

    def evolve_own(self, facts: FactsT, key: str, event: Event) -> FactsT:
        """Fold one event of the own log, after the decision that made it."""


class Send(NamedTuple):
    """A message to a sibling: `key` is the receiving aggregate, BROADCAST, or `each(kind)`."""

    receiver: str
    key: str
    content: Message


class Decided(NamedTuple):
    """One own event as `route` sees it: its aggregate, its place in it, and the instant durations run from."""

    key: str
    sequence: int
    since: int
    event: Event


def route_nothing(decided: Decided) -> Sequence[Send]:  # noqa: ARG001 - the shape of every route
    """Send nothing."""
    return ()


@dataclass(frozen=True)
class DecisionService(Generic[FactsT]):
    """A declaration of one decision service.

    `deciders` maps the prefix of an aggregate's key to its decider; `inputs` are the public streams it reads besides
    its inbox; `route` is a pure function from one own event to messages for siblings. `audience` says which aggregates
    of this partition a broadcast concerns, from facts that contain it: they decide it as well, in key order, in
    transactions of bounded size, and the partition takes nothing else until the last; deciding it twice must cause
    nothing, as always.
    """

    name: str
    inputs: tuple[InputTopic, ...]
    deciders: Mapping[str, Decider[Any, FactsT]]
    facts: FactsFold[FactsT]
    route: Callable[[Decided], Sequence[Send]] = route_nothing
    audience: Callable[[FactsT, Message], Iterable[str]] | None = None

    @cached_property
    def log(self) -> str:
        """The topic of its log."""
        return f"{self.name}.events"

    @cached_property
    def inbox(self) -> str:
        """The topic of its inbox."""
        return f"{self.name}.inbox"

    @cached_property
    def topics(self) -> tuple[str, ...]:
        """Every topic it decides inputs of: the inbox first, then the public ones, which is the order of ties."""
        return (self.inbox, *(topic.name for topic in self.inputs))
