import pytest

from schemas.assessors import StakePaidOut, StakeSettled, StakeWithdrawalAnswered, StakeWithdrawn
from schemas.outcomes import ArithmeticStep
from schemas.payouts import PayoutConfirmed
from tests.unit.assessors.examples import (
    ASSESSOR,
    ASSET,
    CASE,
    PAYOUT,
    START,
    AssessorSpecification,
    leaving,
    profile,
    registered,
    staked,
)


def withdrawn(specification: AssessorSpecification) -> StakeWithdrawn:
    (event,) = [event for event in specification.events if isinstance(event, StakeWithdrawn)]
    return event


def confirmation(withdrawal: int, amount_minor: int = 600) -> PayoutConfirmed:
    return PayoutConfirmed(
        payout=f"stake:{ASSESSOR}/{withdrawal}",
        assessor=ASSESSOR,
        attempt=1,
        transaction="0xa",
        amount_minor=amount_minor,
    )


def test_stake_leaves__nothing_holds_it() -> None:
    specification = leaving(600).answered()
    specification.then(
        StakeWithdrawalAnswered(assessor=ASSESSOR, withdrawal=1, partition=0, partitions=1, cases=()),
        StakeWithdrawn(
            assessor=ASSESSOR,
            withdrawal=1,
            amount_minor=600,
            payout=f"stake:{ASSESSOR}/1",
            asset=ASSET,
            stake_minor=400,
            arithmetic=(
                ArithmeticStep(
                    rule="what leaves: the smaller of what was announced and what cases left of the stake",
                    inputs={"announced_minor": "600", "stake_minor": "1000"},
                    result_minor="600",
                ),
            ),
            payout_terms=PAYOUT,
        ),
    )
    assert specification.state.leaving is None


def test_stake_waits_for_every_partition() -> None:
    specification = leaving(600).answered(partition=1, partitions=3).then_types("stake.withdrawal-answered.v1")
    specification.answered(partition=0, partitions=3).then_types("stake.withdrawal-answered.v1")
    specification.answered(partition=0, partitions=3).then_nothing()
    specification.answered(partition=2, partitions=3)
    assert withdrawn(specification).amount_minor == 600


def test_stake_waits_for_every_case() -> None:
    specification = leaving(600).answered(CASE, "claim/C-2/1", partition=0, partitions=2)
    specification.answered("incident/lend/1", partition=1, partitions=2).then_types("stake.withdrawal-answered.v1")
    specification.settle(case="claim/C-2/1").then_types("stake.settled.v1")
    specification.settle(case=CASE).then_types("stake.settled.v1")
    specification.settle(case="incident/lend/1").then_types("stake.settled.v1", "stake.withdrawn.v1")


def test_stake_waits_for_every_round_of_a_case() -> None:
    specification = leaving(600).answered(CASE)
    specification.settle(holds=True).then_nothing()
    specification.settle(forfeit_minor=5, number=2, holds=True).then_types("stake.settled.v1", "assessor.profiled.v1")
    specification.settle(number=3).then_types("stake.settled.v1", "stake.withdrawn.v1")


def test_case_settles_before_the_last_partition_answers() -> None:
    specification = leaving(600).answered(CASE, partition=0, partitions=2)
    specification.settle().then_types("stake.settled.v1")
    specification.answered(partition=1, partitions=2)
    assert withdrawn(specification).amount_minor == 600


@pytest.mark.parametrize("withdrawal", [0, 2])
def test_answer__of_another_withdrawal(withdrawal: int) -> None:
    leaving(600).answered(withdrawal=withdrawal).then_nothing()


def test_answer__nothing_leaves() -> None:
    staked().answered().then_nothing()
    staked().request(600).answered().then_nothing()
    leaving(600).answered().answered().then_nothing()


def test_loss_is_taken_from_what_stays_and_then_from_what_leaves() -> None:
    specification = leaving(600).answered(CASE, "claim/C-2/1").settle(forfeit_minor=150)
    assert profile(specification).stake_minor == 250
    specification.settle(forfeit_minor=350, case="claim/C-2/1")
    event = withdrawn(specification)
    assert (event.amount_minor, event.stake_minor) == (500, 0)
    assert profile(specification).stake_minor == 0


def test_loss__more_than_there_is() -> None:
    specification = staked(100).settle(forfeit_minor=130)
    event = specification.events[0]
    assert isinstance(event, StakeSettled)
    assert (event.forfeited_minor, event.shortfall_minor, event.stake_minor) == (100, 30, 0)
    specification.settle(forfeit_minor=1, number=2).then_types("stake.settled.v1")


def test_everything_is_lost__nothing_is_paid_out() -> None:
    specification = leaving(1_000).answered(CASE).settle(forfeit_minor=1_000)
    event = withdrawn(specification)
    assert (event.amount_minor, event.payout, event.stake_minor) == (0, None, 0)


def test_reward_is_added_to_the_stake() -> None:
    specification = staked(100).settle(reward_minor=7)
    specification.then_types("stake.settled.v1", "assessor.profiled.v1")
    assert profile(specification).stake_minor == 107


def test_reward__everything_left_before() -> None:
    specification = leaving(1_000).answered().settle(reward_minor=7)
    assert profile(specification).stake_minor == 7
    specification.request(7).withdraw().then_types("stake.withdrawal-announced.v1", "assessor.profiled.v1")


def test_settlement__vote_neither_lost_nor_won() -> None:
    staked().settle().then_nothing()
    leaving(600).answered("claim/C-2/1").settle().then_nothing()


def test_settlement__once_for_each_round() -> None:
    specification = staked(100).settle(reward_minor=7).settle(reward_minor=7).then_nothing()
    specification.settle(reward_minor=7, number=2).then_types("stake.settled.v1", "assessor.profiled.v1")
    specification.settle(reward_minor=7, number=1).then_nothing()
    specification.settle(reward_minor=7, case="claim/C-2/1").then_types("stake.settled.v1", "assessor.profiled.v1")


def test_next_withdrawal__counts_up() -> None:
    specification = leaving(600).answered().request(400).withdraw(at=START + 10**10)
    specification.answered(withdrawal=2)
    assert withdrawn(specification).payout == f"stake:{ASSESSOR}/2"


def test_confirmation__once() -> None:
    specification = leaving(600).answered().when(confirmation(1), at=START)
    specification.then(StakePaidOut(assessor=ASSESSOR, withdrawal=1, payout=f"stake:{ASSESSOR}/1", amount_minor=600))
    specification.when(confirmation(1), at=START).then_nothing()


def test_confirmation__nothing_was_paid() -> None:
    registered().when(confirmation(1), at=START).then_nothing()
