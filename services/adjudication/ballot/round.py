"""A round: the state of one ballot, folded from its events."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, Self

from schemas.adjudication import AssessorExcluded, BallotOpened, Choice, VoteCounted
from schemas.envelope import Event
from services.kernel.persistent import PersistentMap


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote that stands; clause and rationale are kept as one hash, to know the same vote when it comes again."""

    choice: Choice
    weight_minor: int
    grounds_sha256: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a round's opening fixed, as in `BallotOpened`."""

    stage: int
    round: int
    closes_at: int
    closes_early_at: int | None
    facts_version: int
    eligible_stake_minor: int
    eligible_heads: int
    cap_minor: int | None

    @classmethod
    def of(cls, event: BallotOpened) -> Self:
        """Take them out of the event, which as a message would weigh ten times as much in the state."""
        return cls(
            event.stage,
            event.round,
            event.closes_at,
            event.closes_early_at,
            event.facts_version,
            event.eligible_stake_minor,
            event.eligible_heads,
            event.cap_minor,
        )


@dataclass(frozen=True, slots=True)
class Round:
    """One round of voting: its bounds as its opening fixed them, and the votes so far with their sums."""

    opened: Bounds
    excluded: PersistentMap[str, str] = field(default_factory=PersistentMap)
    votes: PersistentMap[str, Vote] = field(default_factory=PersistentMap)
    accept_minor: int = 0
    deny_minor: int = 0
    stage: Literal["ballot"] = "ballot"

    @property
    def position(self) -> int:
        """Say which stage of the procedure this is."""
        return self.opened.stage

    @property
    def heads(self) -> int:
        """Count the assessors who voted."""
        return len(self.votes)


def with_event(state: Round, event: Event) -> Round:
    """Fold an exclusion or a counted vote; anything else (a refusal) leaves the very same round."""
    match event:
        case VoteCounted():
            vote = Vote(event.choice, event.weight_minor, grounds_sha256(event.clause, event.rationale))
            votes = state.votes.set(event.assessor, vote)
            # Most of a log are these two, and replace() takes twice as long.
            return Round(state.opened, state.excluded, votes, event.accept_minor, event.deny_minor)
        case AssessorExcluded():
            excluded = state.excluded.set(event.assessor, event.reason)
            return Round(state.opened, excluded, state.votes, state.accept_minor, state.deny_minor)
        case _:
            return state


def grounds_sha256(clause: str, rationale: str) -> str:
    """Hash what a vote rests on."""
    return sha256(f"{len(clause)}:{clause}{rationale}".encode()).hexdigest()
