import pytest

from schemas.claims import ClaimAllocated, ClaimPaid, ClaimShareHeld
from schemas.payouts import RequestPayout
from schemas.rulebook import Outcome
from services.kernel.specification import Specification
from tests.unit.claims.examples import (
    HOLDER,
    OPEN,
    RULES,
    USDC,
    filing,
    reducing,
    ruling,
    transferred,
    withdrawing,
)
from tests.unit.claims.pool_examples import (
    CLAIM,
    allocation,
    exposure,
    pool_approved,
    pool_filed,
    routed,
    share,
    sold,
    unsold,
)

OUTCOMES = pytest.mark.parametrize("outcome", ["deny", "draw"])


def allocated(specification: Specification) -> ClaimAllocated:
    event = specification.events[-1]
    assert isinstance(event, ClaimAllocated)
    return event


def held(specification: Specification) -> ClaimShareHeld:
    (event,) = specification.events
    assert isinstance(event, ClaimShareHeld)
    return event


def test_allocated__approved_claim_asks_for_a_payout() -> None:
    specification = pool_approved().when(allocation(25), at=OPEN)
    event = allocated(specification)
    assert event.model_dump(exclude={"arithmetic", "payout_terms"}) == {
        "claim": CLAIM,
        "cover": "main.1",
        "incident": "P/1",
        "pool": "main",
        "allocation": 1,
        "payout": f"{CLAIM}/1",
        "recipient": HOLDER,
        "asset": USDC,
        "amount_minor": 25,
        "allocated_minor": 25,
        "deferred_minor": 35,
        "line_minor": 25,
        "line_of_minor": 25,
    }
    assert event.arithmetic == (share(25),)
    (send,) = routed(specification)
    assert (send.receiver, send.key) == ("payouts", f"payout/{CLAIM}/1")
    assert isinstance(send.content, RequestPayout)
    assert send.content == RequestPayout(
        payout=f"{CLAIM}/1",
        claim=CLAIM,
        cover="main.1",
        pool="main",
        asset=USDC,
        recipient=HOLDER,
        amount_minor=25,
        arithmetic=(share(25),),
        terms=RULES.payout,
    )


def test_allocated__each_further_one_is_a_payout_of_its_own() -> None:
    specification = pool_approved().when(allocation(25), at=OPEN).when(allocation(30, 2), at=OPEN)
    event = allocated(specification)
    assert (event.payout, event.amount_minor, event.allocated_minor, event.deferred_minor) == (f"{CLAIM}/2", 30, 55, 5)


def test_allocated__same_allocation_again_has_no_effect() -> None:
    specification = pool_approved().when(allocation(25, 2), at=OPEN).when(allocation(10, 1), at=OPEN)
    specification.then_types("claim.allocated.v1")
    specification.when(allocation(25, 2), at=OPEN).then_nothing()
    specification.when(allocation(10, 1), at=OPEN).then_nothing()


def test_allocated__nothing_now_is_noted_without_a_payout() -> None:
    event = held(pool_approved().when(allocation(0, deferred_minor=60), at=OPEN))
    assert (event.allocation, event.amount_minor, event.held_minor) == (1, 0, 0)


def test_allocated__more_than_is_approved_is_cut_and_explained() -> None:
    specification = pool_approved().when(allocation(50), at=OPEN).when(allocation(50, 2), at=OPEN)
    event = allocated(specification)
    assert (event.amount_minor, event.allocated_minor, event.deferred_minor) == (10, 60, 0)
    given, step = event.arithmetic
    assert given == share(50)
    assert step.inputs == {
        "line_minor": "50",
        "reckoned_minor": "50",
        "amount_minor": "60",
        "allocated_before_minor": "50",
    }
    assert step.result_minor == "10"
    assert held(specification.when(allocation(1, 3), at=OPEN)).amount_minor == 0


def test_allocated__line_that_is_under_way_when_less_is_approved_counts_at_its_share() -> None:
    specification = pool_filed().when(reducing(30, CLAIM, cover="main.1"), at=OPEN)
    specification.when(ruling("accept", 30, CLAIM), at=OPEN)
    event = allocated(specification.when(allocation(50, deferred_minor=10), at=OPEN))
    assert (event.amount_minor, event.deferred_minor) == (25, 5)


def test_held__two_reductions_come_to_what_one_would__whenever_the_line_is_heard() -> None:
    line = allocation(2, deferred_minor=58)
    first, last = pool_filed(), pool_filed().when(line, at=OPEN)
    for specification in (first, last):
        for amount_minor in (59, 58):
            specification.when(reducing(amount_minor, CLAIM, cover="main.1"), at=OPEN)
    first.when(line, at=OPEN)
    assert [one.state.claims[CLAIM].payments.held_minor for one in (first, last)] == [1, 1]


def test_allocated__what_has_no_pool_or_is_unknown_has_no_effect() -> None:
    unsold().when(allocation(1), at=OPEN).then_nothing()
    sold().when(allocation(1), at=OPEN).then_nothing()


@pytest.mark.parametrize("end", ["deny", "draw", "withdraw"])
def test_allocated__closed_claim_takes_nothing(end: Outcome) -> None:
    ending = ruling(end, claim=CLAIM) if end in ("deny", "draw") else withdrawing(CLAIM, cover="main.1")
    pool_filed().when(ending, at=OPEN).when(allocation(1), at=OPEN).then_nothing()
    pool_filed().when(allocation(1), at=OPEN).when(ending, at=OPEN).when(allocation(1, 2), at=OPEN).then_nothing()


def test_held__undecided_claim_holds_shares_until_it_is_approved() -> None:
    specification = pool_filed().when(allocation(20), at=OPEN)
    specification.then(
        ClaimShareHeld(
            claim=CLAIM,
            allocation=1,
            amount_minor=20,
            held_minor=20,
            line_minor=20,
            line_of_minor=20,
            arithmetic=(share(20),),
        )
    )
    assert routed(specification) == ()
    assert held(specification.when(allocation(7, 2), at=OPEN)).held_minor == 27
    specification.when(allocation(7, 2), at=OPEN).then_nothing()
    specification.when(ruling(claim=CLAIM), at=OPEN).then_types("claim.approved.v1", "claim.allocated.v1")
    event = allocated(specification)
    assert (event.allocation, event.payout) == (None, f"{CLAIM}/1")
    assert (event.amount_minor, event.allocated_minor, event.deferred_minor) == (27, 27, 33)
    first, step = event.arithmetic
    assert first == share(20)
    assert step.inputs == {"held_minor": "27", "approved_minor": "60"}
    assert [send.receiver for send in routed(specification)] == ["pools", "payouts"]
    specification.when(allocation(7, 2), at=OPEN).then_nothing()
    assert allocated(specification.when(allocation(33, 3), at=OPEN)).payout == f"{CLAIM}/2"


def test_held__beyond_the_approved_amount_is_not_paid() -> None:
    specification = pool_filed().when(allocation(50), at=OPEN).when(ruling(amount_minor=40, claim=CLAIM), at=OPEN)
    event = allocated(specification)
    assert (event.amount_minor, event.deferred_minor) == (40, 0)
    assert exposure(specification) == ("approved", 40)
    specification.when(transferred(40, CLAIM), at=OPEN).then_types("claim.paid.v1")
    assert specification.state.claims[CLAIM].status == "paid"


def test_held__reduced_claim_keeps_its_share_of_less() -> None:
    specification = pool_filed().when(allocation(50, deferred_minor=10), at=OPEN)
    specification.when(reducing(30, CLAIM, cover="main.1"), at=OPEN)
    assert specification.state.claims[CLAIM].payments.held_minor == 25
    topped_up = allocation(2, 2, allocated_minor=27, deferred_minor=3)
    assert held(specification.when(topped_up, at=OPEN)).held_minor == 27
    assert allocated(specification.when(ruling(claim=CLAIM), at=OPEN)).amount_minor == 27


def test_held__line_that_the_pool_made_before_it_heard_of_the_reduction_counts_at_its_share() -> None:
    specification = pool_filed().when(reducing(30, CLAIM, cover="main.1"), at=OPEN)
    event = held(specification.when(allocation(50, deferred_minor=10), at=OPEN))
    assert (event.amount_minor, event.held_minor) == (25, 25)
    assert event.arithmetic[-1].inputs["reckoned_minor"] == "60"
    further = allocation(6, 2, allocated_minor=56, deferred_minor=4)
    assert held(specification.when(further, at=OPEN)).held_minor == 28


def test_held__nothing_is_no_payout_at_approval() -> None:
    specification = pool_filed().when(allocation(0), at=OPEN).when(ruling(claim=CLAIM), at=OPEN)
    specification.then_types("claim.approved.v1")


@OUTCOMES
def test_held__closed_claim_pays_nothing(outcome: Outcome) -> None:
    specification = pool_filed().when(allocation(20), at=OPEN).when(ruling(outcome, claim=CLAIM), at=OPEN)
    assert exposure(specification) == ("closed", 0)
    assert len(specification.events) == 1


def test_paid__in_parts_until_all_that_is_approved_is_paid() -> None:
    specification = pool_approved().when(allocation(20), at=OPEN).when(allocation(40, 2), at=OPEN)
    specification.when(transferred(40, CLAIM, 2), at=OPEN)
    specification.then(
        ClaimPaid(claim=CLAIM, payout=f"{CLAIM}/2", amount_minor=40, remaining_minor=60, unpaid_minor=20)
    )
    assert specification.state.claims[CLAIM].status == "partly-paid"
    specification.when(transferred(40, CLAIM, 2), at=OPEN).then_nothing()
    specification.when(transferred(20, CLAIM), at=OPEN)
    specification.then(ClaimPaid(claim=CLAIM, payout=f"{CLAIM}/1", amount_minor=20, remaining_minor=40))
    assert specification.state.claims[CLAIM].status == "paid"
    specification.when(transferred(20, CLAIM), at=OPEN).then_nothing()


def test_paid__deferred_amount_stays_owed_under_the_cover() -> None:
    specification = pool_approved().when(allocation(20), at=OPEN).when(transferred(20, CLAIM), at=OPEN)
    refused = specification.when(filing(cover="main.1", incident="P/2", amount_minor=41), at=OPEN)
    assert "20 is paid and 40 approved" in refused.then_refused("claim.amount-above-remaining").accepted
    refused = specification.when(filing(cover="main.1", amount_minor=1), at=OPEN)
    assert "partly-paid" in refused.then_refused("claim.incident-already-paid").value


def test_paid__payout_that_was_not_asked_for_has_no_effect() -> None:
    pool_approved().when(transferred(60, CLAIM), at=OPEN).then_nothing()
