import pytest

from schemas.assessors import AssessorProfiled, StakeAdded, StakeWithdrawalAnnounced, StakeWithdrawalRequested
from schemas.outcomes import NextStep
from tests.unit.assessors.examples import (
    ASSESSOR,
    NOTICE,
    START,
    TERMS,
    leaving,
    profile,
    registered,
    staked,
    unknown,
)


def test_stake_is_added() -> None:
    registered().add(100).then(
        StakeAdded(
            assessor=ASSESSOR,
            amount_minor=100,
            transaction="0x1",
            stake_minor=100,
            next=NextStep(step="votes weigh 100 base units in rounds that open from now on"),
        ),
        AssessorProfiled(assessor=ASSESSOR, stake_minor=100, linked_accounts=()),
    )


def test_stake__one_unit_below_the_minimum() -> None:
    refusal = registered().add(99).then_refused("stake.below-minimum")
    assert "at least 100 more" in refusal.accepted


def test_stake__later_amounts_may_be_small() -> None:
    assert profile(staked(100).add(1, "0x2")).stake_minor == 101


def test_stake__below_the_minimum_again_after_a_loss() -> None:
    specification = staked(100).settle(forfeit_minor=10)
    refusal = specification.add(9, "0x2").then_refused("stake.below-minimum")
    assert refusal.accepted == "at least 10 more, which makes 100"
    assert profile(specification.add(10, "0x3")).stake_minor == 100


def test_stake__transaction_counted() -> None:
    refusal = staked().add(500).then_refused("stake.transaction-counted")
    assert "0x1" in refusal.value


def test_stake__not_registered() -> None:
    assert unknown().add(100).then_refused("assessor.not-registered").unknown


def test_stake__terms_unknown() -> None:
    specification = registered(None)
    assert specification.add(100).then_refused("stake.terms-unknown").unknown
    assert not specification.request(1).then_refused("stake.not-there").unknown


def test_request_begins_the_notice() -> None:
    specification = staked().request(1_000, at=START + 5)
    event = specification.events[0]
    assert isinstance(event, StakeWithdrawalRequested)
    assert (event.withdrawal, event.amount_minor, event.available_at) == (1, 1_000, START + 5 + NOTICE)
    assert event.next is not None
    assert event.next.due_at == START + 5 + NOTICE
    specification.then_types("stake.withdrawal-requested.v1")


@pytest.mark.parametrize("amount_minor", [1, 900, 1_000])
def test_request__rest_is_nothing_or_the_minimum(amount_minor: int) -> None:
    staked().request(amount_minor).then_types("stake.withdrawal-requested.v1")


def test_request__rest_below_the_minimum() -> None:
    refusal = staked().request(901).then_refused("stake.rest-below-minimum")
    assert refusal.value == "99 base units would stay at stake"
    assert refusal.accepted == "all 1000, or at most 900: what stays is nothing or at least 100"
    assert staked(100).request(1).then_refused("stake.rest-below-minimum").accepted.startswith("all 100:")


def test_request__more_than_there_is() -> None:
    assert staked().request(1_001).then_refused("stake.not-there").accepted == "at most 1000"
    assert registered().request(1).then_refused("stake.not-there").accepted == "nothing: there is no stake"


def test_request__one_is_pending() -> None:
    specification = staked().request(1)
    assert "stake.withdraw.v1 from" in specification.request(2).then_refused("stake.withdrawal-pending").accepted
    refusal = specification.withdraw().request(2).then_refused("stake.withdrawal-pending")
    assert "is held by open cases" in refusal.value


def test_request__not_registered() -> None:
    unknown().request(1).then_refused("assessor.not-registered")
    unknown().withdraw().then_refused("assessor.not-registered")


def test_withdrawal__notice_runs() -> None:
    specification = staked().request(600)
    refusal = specification.withdraw(at=START + NOTICE - 1).then_refused("stake.notice-running")
    assert refusal.not_before == START + NOTICE
    specification.withdraw(at=START + NOTICE).then_types("stake.withdrawal-announced.v1", "assessor.profiled.v1")


def test_withdrawal__stake_weighs_no_more() -> None:
    specification = leaving(600)
    event = specification.events[0]
    assert isinstance(event, StakeWithdrawalAnnounced)
    assert (event.withdrawal, event.amount_minor, event.stake_minor) == (1, 600, 400)
    assert profile(specification).stake_minor == 400
    assert specification.state.stake_minor == 1_000


def test_withdrawal__nothing_requested() -> None:
    staked().withdraw().then_refused("stake.nothing-requested")


def test_withdrawal__announced() -> None:
    leaving(600).withdraw().then_refused("stake.withdrawal-pending")


def test_withdrawal__cases_took_of_it_during_the_notice() -> None:
    specification = staked().request(1_000).settle(forfeit_minor=300).withdraw()
    event = specification.events[0]
    assert isinstance(event, StakeWithdrawalAnnounced)
    assert (event.amount_minor, event.stake_minor) == (700, 0)
    assert profile(specification).stake_minor == 0


def test_stake__while_some_is_leaving() -> None:
    specification = leaving(1_000).add(50, "0x2")
    assert specification.then_refused("stake.below-minimum").accepted == "at least 100 more, which makes 100"
    assert profile(specification.add(100, "0x2")).stake_minor == 100
    assert specification.state.stake_minor == 1_100


def test_terms__later_ones_are_for_what_comes_later() -> None:
    specification = staked().request(1)
    specification.with_facts(
        type(specification.facts)(TERMS.model_copy(update={"notice": 0, "stake_min_minor": 10**6}))
    )
    specification.withdraw(at=START + NOTICE - 1).then_refused("stake.notice-running")
    specification.add(1, "0x2").then_refused("stake.below-minimum")
