"""What votes lose and win after the last ruling, and that they hold the stake until then."""

from schemas.adjudication import BallotOpened, CaseWithdrawn, Choice, RoundSettled, VoteLine, VotesSettled, WithdrawCase
from schemas.instants import DAY
from schemas.rulebook import Incentives, StakeWeight
from services.adjudication.settlement import LINES_MAX
from services.kernel.decider import Deadline
from tests.unit.adjudication.examples import (
    CLAIM,
    T0,
    CaseSpecification,
    account,
    ballot,
    claim,
    cooldown,
    counted,
    staked,
)

END = T0 + 3 * DAY
PAID = ballot(incentives=Incentives(wrong_bps=1_000, spare_reasoned=True))


def of(case: CaseSpecification, kind: type) -> list[object]:
    return [event for event in case.events if isinstance(event, kind)]


def settled(case: CaseSpecification) -> RoundSettled:
    (event,) = of(case, RoundSettled)
    assert isinstance(event, RoundSettled)
    return event


def lines(case: CaseSpecification) -> list[VoteLine]:
    return [line for event in case.events if isinstance(event, VotesSettled) for line in event.lines]


def amounts(case: CaseSpecification) -> list[tuple[int, int]]:
    return [(line.forfeit_minor, line.reward_minor) for line in lines(case)]


def ruled(*votes: tuple[int, Choice], rules: object = PAID) -> CaseSpecification:
    """Let assessors with these stakes vote like this, and the round close."""
    case = claim(*staked(*(stake for stake, _ in votes)), procedure=(rules,))  # type: ignore[arg-type]
    for number, (_, choice) in enumerate(votes, start=1):
        counted(case.vote(number, choice, at=T0 + number))
    return case.fire()


def test_votes_against_the_ruling_pay_those_for_it() -> None:
    case = ruled((100, "accept"), (200, "accept"), (150, "deny"))
    case.then_types("ballot.closed.v1", "case.ruled.v1", "round.settled.v1", "votes.settled.v1")
    assert settled(case) == RoundSettled(
        case=CLAIM,
        round=1,
        outcome="accept",
        settled_at=END,
        forfeited_minor=15,
        winning_minor=300,
        units=0,
        treasury_minor=0,
    )
    assert case.events[-1] == VotesSettled(
        case=CLAIM,
        round=1,
        lines=(
            VoteLine(
                assessor=account(1),
                choice="accept",
                stake_minor=100,
                weight_minor=100,
                forfeit_minor=0,
                reward_minor=5,
            ),
            VoteLine(
                assessor=account(2),
                choice="accept",
                stake_minor=200,
                weight_minor=200,
                forfeit_minor=0,
                reward_minor=10,
            ),
            VoteLine(
                assessor=account(3),
                choice="deny",
                stake_minor=150,
                weight_minor=150,
                forfeit_minor=15,
                reward_minor=0,
            ),
        ),
        more=False,
    )
    assert case.deadlines() == []
    assert case.state.kept.rounds == ()


def test_units_go_to_the_largest_remainders() -> None:
    # 10 units over weights 30, 20 and 40: 3 + 30/90, 2 + 20/90, 4 + 40/90; the unit left goes to the last.
    case = ruled((30, "accept"), (20, "accept"), (40, "accept"), (100, "deny"), rules=_at_least(0))
    assert settled(case).units == 1
    assert amounts(case) == [(0, 3), (0, 2), (0, 5), (10, 0)]


def test_units__equal_remainders_go_by_account() -> None:
    case = ruled((50, "accept"), (50, "accept"), (50, "accept"), (110, "deny"), rules=_at_least(0))
    assert settled(case).units == 2
    assert amounts(case) == [(0, 4), (0, 4), (0, 3), (11, 0)]


def _at_least(share_bps: int) -> object:
    agreement = PAID.agreement.model_copy(update={"share_bps": share_bps, "comparison": "at-least"})
    return PAID.model_copy(update={"agreement": agreement})


def test_loss_is_rounded_down() -> None:
    assert amounts(ruled((100, "accept"), (19, "deny"), (9, "deny"))) == [(0, 1), (1, 0), (0, 0)]


def test_reasoned_vote_is_spared() -> None:
    case = claim(*staked(100, 50, 40), procedure=(PAID,)).vote(1, at=T0)
    case.vote(2, "deny", at=T0, rationale="no loss").vote(3, "deny", at=T0, rationale=" \n").fire()
    assert amounts(case) == [(0, 4), (0, 0), (4, 0)]


def test_reasoned_vote__rulebook_spares_none() -> None:
    rules = PAID.model_copy(update={"incentives": Incentives(wrong_bps=1_000, spare_reasoned=False)})
    case = claim(*staked(100, 50), procedure=(rules,)).vote(1, at=T0).vote(2, "deny", at=T0, rationale="no loss")
    assert amounts(case.fire()) == [(0, 5), (5, 0)]


def test_nobody_won__all_goes_to_the_treasury() -> None:
    rules = PAID.model_copy(
        update={"unresolved": "deny", "quorum": PAID.quorum.model_copy(update={"share_bps": 9_999})}
    )
    case = claim(*staked(100, 50), procedure=(rules,)).vote(1, at=T0).fire()
    event = settled(case)
    assert (event.outcome, event.forfeited_minor, event.winning_minor, event.treasury_minor) == ("deny", 10, 0, 10)
    assert amounts(case) == [(10, 0)]


def test_nobody_won__winners_without_weight() -> None:
    weight = StakeWeight(kind="stake", at="opening", cap_bps=0)
    rules = PAID.model_copy(update={"weight": weight, "tie": "accept"})
    case = ruled((100, "accept"), (50, "deny"), rules=rules.model_copy(update={"quorum": _none()}))
    assert (settled(case).treasury_minor, amounts(case)) == (5, [(0, 0), (5, 0)])


def _none() -> object:
    return PAID.quorum.model_copy(update={"share_bps": 0, "comparison": "at-least"})


def test_draw_takes_and_gives_nothing() -> None:
    case = ruled((100, "accept"), (100, "deny"))
    assert settled(case).outcome == "draw"
    assert amounts(case) == [(0, 0), (0, 0)]


def test_without_incentives_votes_are_released() -> None:
    case = ruled((100, "accept"), (50, "deny"), rules=ballot())
    assert (settled(case).forfeited_minor, settled(case).winning_minor) == (0, 100)
    assert amounts(case) == [(0, 0), (0, 0)]


def test_nothing_is_settled__nobody_voted() -> None:
    claim(*staked(10), procedure=(PAID,)).fire().then_types("ballot.closed.v1", "case.ruled.v1")


def test_votes_are_measured_against_the_last_ruling() -> None:
    case = claim(*staked(100, 50, 10), procedure=(PAID, cooldown(), PAID)).vote(1, at=T0).vote(2, "deny", at=T0).fire()
    case.then_types("ballot.closed.v1", "cooldown.opened.v1")
    case.fire()
    assert isinstance(case.events[1], BallotOpened)
    case.vote(2, "deny", at=END + DAY).vote(3, "deny", at=END + DAY).fire()
    case.then_types(
        "ballot.closed.v1",
        "case.ruled.v1",
        "round.settled.v1",
        "votes.settled.v1",
        "round.settled.v1",
        "votes.settled.v1",
    )
    assert [(line.assessor[-1], line.forfeit_minor, line.reward_minor, line.holds) for line in lines(case)] == [
        ("1", 10, 0, False),
        ("2", 0, 10, True),
        ("2", 0, 0, False),
        ("3", 0, 0, False),
    ]


def test_vote_that_was_replaced_counts_as_it_stands() -> None:
    rules = PAID.model_copy(update={"revote": "replaces"})
    case = claim(*staked(100, 50), procedure=(rules,)).vote(1, at=T0).vote(2, at=T0).vote(2, "deny", at=T0 + 1).fire()
    assert amounts(case) == [(0, 5), (5, 0)]


def test_weight_is_capped_and_loss_is_of_the_whole_stake() -> None:
    weight = StakeWeight(kind="stake", at="opening", cap_bps=2_500)
    rules = PAID.model_copy(update={"weight": weight})
    case = ruled((40, "accept"), (60, "accept"), (100, "deny"), rules=rules)
    assert [(line.stake_minor, line.weight_minor) for line in lines(case)] == [(40, 40), (60, 50), (100, 50)]
    assert amounts(case) == [(0, 4), (0, 6), (10, 0)]


def test_withdrawn_case_releases_its_votes() -> None:
    case = claim(*staked(100, 50), procedure=(PAID, PAID)).vote(1, at=T0).fire().vote(2, "deny", at=END)
    case.when(WithdrawCase(case=CLAIM), at=END + 1)
    assert case.events[0] == CaseWithdrawn()
    case.then_types("case.withdrawn.v1", "round.settled.v1", "votes.settled.v1", "round.settled.v1", "votes.settled.v1")
    assert [(event.round, event.outcome) for event in of(case, RoundSettled)] == [(1, "draw"), (2, "draw")]  # type: ignore[attr-defined]
    assert amounts(case) == [(0, 0), (0, 0)]


def test_many_votes_are_settled_in_chunks_at_once() -> None:
    count = 2 * LINES_MAX + 1
    votes: list[tuple[int, Choice]] = [(1_000 + number, "deny" if number % 3 else "accept") for number in range(count)]
    case = ruled(*votes)
    first = lines(case)
    assert len(first) == LINES_MAX
    assert case.deadlines() == [Deadline("votes/1/2", END)]
    second = lines(case.fire().then_types("votes.settled.v1"))
    assert case.deadlines() == [Deadline("votes/1/3", END)]
    third = lines(case.fire().then_types("votes.settled.v1"))
    assert case.deadlines() == []
    everything = first + second + third
    assert [line.assessor for line in everything] == sorted(account(number) for number in range(1, count + 1))
    assert sum(line.reward_minor for line in everything) == sum(line.forfeit_minor for line in everything) > 0


def test_chunks__two_rounds() -> None:
    case = claim(*staked(*[10] * (LINES_MAX + 1)), procedure=(PAID, PAID))
    for number in range(1, LINES_MAX + 2):
        case.vote(number, at=T0 + 1)
    case.fire().vote(7, "deny", at=END).fire(late=DAY)
    case.then_types("ballot.closed.v1", "case.ruled.v1", "round.settled.v1", "votes.settled.v1")
    late = case.events[2]
    assert isinstance(late, RoundSettled)
    assert late.settled_at == END + 4 * DAY
    case.fire().then_types("votes.settled.v1", "round.settled.v1", "votes.settled.v1")
    assert case.deadlines() == []


def test_stale_deadline_of_lines() -> None:
    votes: list[tuple[int, Choice]] = [(10, "accept")] * (LINES_MAX + 1)
    case = ruled(*votes).fire()
    case.when(Deadline("votes/1/2", END), at=END).then_nothing()


def test_settlement_is_dated_by_the_input_that_led_to_it() -> None:
    case = claim(*staked(100), procedure=(PAID,)).vote(1, at=T0)
    case.when(WithdrawCase(case=CLAIM), at=T0 + 30, since=T0 + 10)
    assert settled(case).settled_at == T0 + 30
