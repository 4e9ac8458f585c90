"""A round: the state of one ballot, folded from its events."""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Literal, Self

from schemas.adjudication import AssessorExcluded, AssessorRecused, BallotOpened, Choice, VoteCounted
from schemas.envelope import Event
from services.kernel.persistent import PersistentMap


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote that stands, with the stake it was cast with (base units).

    `reasoned` says that it has a rationale; clause and rationale are kept as one hash, to know the same vote when it
    comes again.
    """

    choice: Choice
    stake_minor: int
    reasoned: bool
    grounds_sha256: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a round closes and who is eligible: as in `BallotOpened`, moved by halts and without who stepped back."""

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

    def moved(self, after: int, by: int) -> Self:
        """Let what ends after an instant end `by` milliseconds later."""
        early = self.closes_early_at
        return replace(
            self,
            closes_at=self.closes_at + by if self.closes_at > after else self.closes_at,
            closes_early_at=early + by if early is not None and early > after else early,
        )

    def weight_of(self, stake_minor: int) -> int:
        """Cap a stake (insurace, house: 5 % of the eligible stake before capping, anchors.md section 1.18)."""
        return stake_minor if self.cap_minor is None or stake_minor < self.cap_minor else self.cap_minor


@dataclass(frozen=True, slots=True)
class Round:
    """One round of voting: its bounds, and the votes so far with their sums."""

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
    """Fold an exclusion, a recusal or a counted vote; anything else (a refusal) leaves the very same round."""
    match event:
        case VoteCounted():
            grounds = grounds_sha256(event.clause, event.rationale)
            vote = Vote(event.choice, event.stake_minor, is_reasoned(event.rationale), grounds)
            votes = state.votes.set(event.assessor, vote)
            # Most of a log are these two, and replace() takes twice as long.
            return Round(state.opened, state.excluded, votes, event.accept_minor, event.deny_minor)
        case AssessorExcluded():
            excluded = state.excluded.set(event.assessor, event.reason)
            return Round(state.opened, excluded, state.votes, state.accept_minor, state.deny_minor)
        case AssessorRecused():
            bounds = replace(
                state.opened, eligible_stake_minor=event.eligible_stake_minor, eligible_heads=event.eligible_heads
            )
            return replace(state, opened=bounds, excluded=state.excluded.set(event.assessor, "stepped back"))
        case _:
            return state


def grounds_sha256(clause: str, rationale: str) -> str:
    """Hash what a vote rests on."""
    return sha256(f"{len(clause)}:{clause}{rationale}".encode()).hexdigest()


def is_reasoned(rationale: str) -> bool:
    """Tell whether a vote says why; blanks say nothing."""
    return bool(rationale) and not rationale.isspace()
