"""Laws over random histories, driven through decide and evolve (product.md section 13, law 4)."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.adjudication import AssessorExcluded, BallotClosed, BallotOpened, CaseRuled, Choice, VoteCounted
from schemas.assessors import AssessorProfiled
from schemas.envelope import Event
from schemas.instants import DAY
from schemas.rulebook import Agreement, Ballot, Comparison, EarlyClose, Outcome, Quorum, StakeWeight
from services.kernel.decider import Refused
from tests.unit.adjudication.examples import (
    HOUR,
    T0,
    CaseSpecification,
    account,
    ballot,
    claim,
    cooldown,
    profiled,
)

Electorate = tuple[AssessorProfiled, ...]
Step = AssessorProfiled | tuple[int, Choice]
LAW = settings(max_examples=60, deadline=None)
CLAIMANT = 1
ASSESSORS = st.integers(1, 5)
COMPARISONS: st.SearchStrategy[Comparison] = st.sampled_from(["more-than", "at-least"])
OUTCOMES: st.SearchStrategy[Outcome] = st.sampled_from(["accept", "deny", "draw"])
CHOICES: st.SearchStrategy[Choice] = st.sampled_from(["accept", "deny"])
BPS = st.integers(0, 10_000)
LINKS: st.SearchStrategy[list[int]] = st.just([]) | st.lists(ASSESSORS, max_size=2)


def profiles_of(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[AssessorProfiled]:
    stakes_minor = st.integers(0, 500)
    return st.builds(
        lambda number, stake_minor, links: profiled(account(number), stake_minor, *map(account, links)),
        numbers,
        stakes_minor,
        LINKS,
    )


ELECTORATES = st.tuples(*(profiles_of(st.just(number)) for number in range(1, 6)))


@st.composite
def ballots(draw: st.DrawFn, at: tuple[str, ...] = ("opening", "vote")) -> Ballot:
    early = draw(st.none() | st.builds(EarlyClose, when=st.just("all-voted"), after=st.just(12 * HOUR)))
    return ballot(
        weight=StakeWeight(kind="stake", at=draw(st.sampled_from(at)), cap_bps=draw(st.none() | BPS)),
        window=DAY,
        end_inclusive=draw(st.booleans()),
        early_close=early,
        quorum=Quorum(
            of=draw(st.sampled_from(["eligible-stake", "eligible-heads"])),
            share_bps=draw(BPS),
            comparison=draw(COMPARISONS),
        ),
        agreement=Agreement(
            of=draw(st.sampled_from(["cast", "eligible-stake"])),
            share_bps=draw(BPS),
            comparison=draw(COMPARISONS),
        ),
        tie=draw(OUTCOMES),
        empty=draw(OUTCOMES),
        unresolved=draw(OUTCOMES),
        revote=draw(st.sampled_from(["refused", "replaces"])),
    )


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[int, Step]]:
    """Draw votes and profiles at instants that only go up, with gaps that often meet the window's bounds."""
    moments = st.sampled_from([0, 1, HOUR, 12 * HOUR - 1, 12 * HOUR, DAY - 1, DAY, DAY + 1]) | st.integers(0, 2 * DAY)
    instants = sorted(draw(st.lists(moments, max_size=25)))
    step = st.tuples(ASSESSORS, CHOICES) | st.tuples(ASSESSORS, CHOICES) | profiles_of(ASSESSORS)
    return [(T0 + instant, draw(step)) for instant in instants]


@dataclass
class History:
    """What happened in a case, with the instant at which each event was decided."""

    case: CaseSpecification
    events: list[tuple[int, Event]]

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for _, event in self.events if isinstance(event, kind)]


def run(rules: Ballot, profiles: Electorate, timeline: list[tuple[int, Step]], *, punctual: bool = True) -> History:
    """Drive a claim's case through a timeline; a punctual engine fires what is due before each input."""
    case = claim(*profiles, procedure=(rules, cooldown()), claimant=account(CLAIMANT))
    history = History(case, [(T0, event) for event in case.events])

    def note(at: int) -> None:
        history.events.extend((at, event) for event in case.events)

    for at, step in timeline:
        while punctual and case.deadlines() and case.deadlines()[0].due <= at:
            due = case.deadlines()[0].due
            case.fire()
            note(due)
        if isinstance(step, tuple):
            case.vote(step[0], step[1], at=at)
            note(at)
        else:
            case.note(step)
    while case.deadlines():
        due = case.deadlines()[0].due
        late = max(0, timeline[-1][0] - due) if timeline else 0
        case.fire(late=late)
        note(due + late)
    return history


def standing(history: History) -> dict[str, VoteCounted]:
    return {vote.assessor: vote for vote in history.of(VoteCounted)}


@LAW
@given(ballots(), ELECTORATES, steps(), st.booleans())
def test_no_vote_outside_its_window_twice_above_its_cap_or_from_an_excluded_assessor(
    rules: Ballot, profiles: Electorate, timeline: list[tuple[int, Step]], punctual: bool
) -> None:
    history = run(rules, profiles, timeline, punctual=punctual)
    opened = history.of(BallotOpened)[0]
    excluded = [event.assessor for event in history.of(AssessorExcluded)]
    linked = {profile.assessor: (profile.stake_minor, profile.linked_accounts) for profile in profiles}
    party = {name for name, (stake, links) in linked.items() if stake and account(CLAIMANT) in links}
    party |= {name for name in linked.get(account(CLAIMANT), (0, ()))[1] if linked.get(name, (0, ()))[0]}
    assert excluded == sorted(party | {account(CLAIMANT)})
    last = T0 + DAY if rules.end_inclusive else T0 + DAY - 1
    seen: set[str] = set()
    closed = False
    for at, event in history.events:
        closed = closed or isinstance(event, BallotClosed)
        if isinstance(event, VoteCounted):
            assert at >= T0
            assert at <= last if punctual else not closed
            assert event.replaces == (event.assessor in seen)
            assert not event.replaces or rules.revote == "replaces"
            assert opened.cap_minor is None or event.weight_minor <= opened.cap_minor
            assert event.weight_minor <= event.stake_minor
            assert event.assessor not in excluded
            seen.add(event.assessor)


@LAW
@given(ballots(), ELECTORATES, steps())
def test_tally_equals_a_recount(rules: Ballot, profiles: Electorate, timeline: list[tuple[int, Step]]) -> None:
    history = run(rules, profiles, timeline)
    votes = standing(history)
    closed = history.of(BallotClosed)[0]
    assert closed.accept_minor == sum(vote.weight_minor for vote in votes.values() if vote.choice == "accept")
    assert closed.deny_minor == sum(vote.weight_minor for vote in votes.values() if vote.choice == "deny")
    assert closed.heads == len(votes) <= closed.eligible_heads


@LAW
@given(ballots(), ELECTORATES, steps())
def test_eligible_sums_equal_a_scan(rules: Ballot, profiles: Electorate, timeline: list[tuple[int, Step]]) -> None:
    history = run(rules, profiles, timeline)
    opened = history.of(BallotOpened)[0]
    excluded = {event.assessor for event in history.of(AssessorExcluded)}
    stakes = [profile.stake_minor for profile in profiles if profile.assessor not in excluded]
    assert opened.eligible_stake_minor == sum(stakes)
    assert opened.eligible_heads == sum(stake > 0 for stake in stakes)


@LAW
@given(ballots(), ELECTORATES, steps())
def test_every_case_ends_in_one_ruling(rules: Ballot, profiles: Electorate, timeline: list[tuple[int, Step]]) -> None:
    history = run(rules, profiles, timeline)
    assert len(history.of(BallotClosed)) == 1
    [ruling] = history.of(CaseRuled)
    assert ruling.outcome == history.of(BallotClosed)[0].outcome
    assert history.case.state.status == "ruled"


@LAW
@given(
    ballots(at=("opening",)),
    ELECTORATES,
    st.dictionaries(ASSESSORS, CHOICES, max_size=5),
    st.data(),
)
def test_order_of_votes_does_not_matter__weight_at_the_opening(
    rules: Ballot, profiles: Electorate, votes: dict[int, Choice], data: st.DataObject
) -> None:
    def outcome(order: list[int]) -> tuple[Any, ...]:
        history = run(rules, profiles, [(T0 + place, (number, votes[number])) for place, number in enumerate(order)])
        closed = history.of(BallotClosed)[0]
        refused = sorted((event.rule, event.value) for event in history.of(Refused))
        return closed, refused, history.of(CaseRuled)

    order = list(votes)
    assert outcome(order) == outcome(data.draw(st.permutations(order)))
