"""Ballot: one vote, put together from the parts in `services.adjudication.ballot`."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from schemas.adjudication import BallotClosed, BallotOpened, CastVote, Recuse
from schemas.envelope import Event, Message
from schemas.rulebook import Ballot
from services.adjudication.ballot import electorate, schedule
from services.adjudication.ballot.count import closed
from services.adjudication.ballot.recusal import recuse
from services.adjudication.ballot.round import Bounds, Round, with_event
from services.adjudication.ballot.voting import vote
from services.adjudication.facts import Facts
from services.adjudication.stages.stage import Ending, Opening, closing
from services.kernel.decider import Deadline, Received


class BallotStage:
    """Counts votes until its window closes, or until everybody eligible has voted."""

    name = "ballot"
    opener: type[Event] = BallotOpened
    closer: type[Event] = BallotClosed
    inputs: tuple[type[Message], ...] = (CastVote, Recuse)
    decides = True

    def open(self, rules: Ballot, opening: Opening, facts: Facts) -> Sequence[Event]:
        """Open the round, and say who may not vote in it."""
        excluded = electorate.excluded(rules, opening, facts)
        eligible = electorate.eligible(rules.weight, excluded, facts)
        opened = BallotOpened(
            stage=opening.position,
            round=opening.turn,
            closes_at=schedule.closes_at(rules, opening.since),
            closes_early_at=schedule.closes_early_at(rules, opening.since),
            facts_version=facts.version,
            eligible_stake_minor=eligible.stake_minor,
            eligible_heads=eligible.heads,
            cap_minor=eligible.cap_minor,
        )
        return [opened, *excluded]

    def opened(self, event: Event) -> Round:
        """Return the round before its first vote."""
        assert isinstance(event, BallotOpened)
        return Round(Bounds.of(event))

    def decide(self, rules: Ballot, state: Round, facts: Facts, received: Received) -> Sequence[Event]:
        """Count or refuse a vote, let an assessor step back; close at the deadline."""
        match received.content:
            case CastVote() as cast:
                return vote(rules, state, facts, cast, received.at)
            case Recuse() as stepping:
                return recuse(rules, state, facts, stepping, received.at)
            case _:
                return [closed(rules, state, received.at)]

    def evolve(self, state: Round, event: Event) -> Round:
        """Fold an exclusion, a recusal or a vote."""
        return with_event(state, event)

    def ending(self, state: Round, event: Event) -> Ending:
        """End with the outcome of the count."""
        assert isinstance(event, BallotClosed)
        return Ending(event.outcome)

    def closes_at(self, state: Round) -> int:
        """Say when its window ends."""
        return state.opened.closes_at

    def moved(self, state: Round, after: int, by: int) -> Round:
        """Move the end of the window, and of the time before it can close early."""
        return replace(state, opened=state.opened.moved(after, by))

    def deadlines(self, state: Round) -> Iterable[Deadline]:
        """List when the round closes as things stand."""
        return (closing(state.position, schedule.due(state, state.heads)),)
