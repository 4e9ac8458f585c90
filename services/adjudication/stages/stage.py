"""What a stage is: the contract between a case and each kind of stage.

A stage is pure and keeps nothing itself: its rules come from the rulebook, its state is folded from its own events.
To add one: its rules in `schemas/rulebook.py`, its events in `schemas/adjudication.py`, one module here with a state
dataclass (tagged by a `stage` literal, so that snapshots know it) and a class of this shape; `registry` lists both.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol, TypeVar

from schemas.envelope import Event, Message
from schemas.rulebook import Outcome
from services.adjudication.facts import Facts
from services.adjudication.terms import Terms
from services.kernel.decider import Deadline, Received
from services.kernel.persistent import PersistentMap


class Opening(NamedTuple):
    """What a stage learns of its case when it opens.

    `position` is its place in the procedure, from 0; `turn` how many stages of its kind the procedure has up to
    it, itself included; `since` the instant its windows run from; `outcome` that of the last stage that decided;
    `recused` has who stepped back from the case, and in which round.
    """

    position: int
    turn: int
    since: int
    terms: Terms
    outcome: Outcome | None
    recused: PersistentMap[str, int]


class Ending(NamedTuple):
    """How a stage ended; `lapsed` when nobody did anything that a pause could let others undo."""

    outcome: Outcome
    lapsed: bool = False


RulesT_contra = TypeVar("RulesT_contra", contravariant=True)
StateT = TypeVar("StateT")


class Stage(Protocol[RulesT_contra, StateT]):
    """One kind of stage.

    `name` is its name in rulebooks; `opener` and `closer` are the events that open and end it, `inputs` what it
    decides on besides its own deadlines; `decides` tells a stage with an outcome of its own from one that passes
    an outcome on.
    """

    name: str
    opener: type[Event]
    closer: type[Event]
    inputs: tuple[type[Message], ...]
    decides: bool

    def open(self, rules: RulesT_contra, opening: Opening, facts: Facts) -> Sequence[Event]:
        """Open it: an `opener` event first, then whatever else its beginning says."""

    def opened(self, event: Event) -> StateT:
        """Return the state that an `opener` event begins."""

    def decide(self, rules: RulesT_contra, state: StateT, facts: Facts, received: Received) -> Sequence[Event]:
        """Decide one of its inputs, or one of the deadlines it lists; a `closer` event comes last."""

    def evolve(self, state: StateT, event: Event) -> StateT:
        """Fold one event that neither opens nor ends it."""

    def ending(self, state: StateT, event: Event) -> Ending:
        """Say how a `closer` event ends it."""

    def closes_at(self, state: StateT) -> int:
        """Say when it closes by its window."""

    def moved(self, state: StateT, after: int, by: int) -> StateT:
        """Let what ends after an instant end `by` milliseconds later: a halt moves it, its early end moves it back."""

    def deadlines(self, state: StateT) -> Iterable[Deadline]:
        """List what is open now: O(1)."""


def closing(position: int, due: int) -> Deadline:
    """Name the deadline at which the stage at `position` closes; no two stages of a case share a name."""
    return Deadline(_closing_name(position), due)


@lru_cache(maxsize=1_024)
def _closing_name(position: int) -> str:
    """Spell a name once: every open case holds one."""
    return f"stage.{position}.closes"
