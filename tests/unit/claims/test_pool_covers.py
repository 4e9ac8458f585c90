import pytest

from schemas.adjudication import OpenCase
from schemas.assessors import NoteHolding
from schemas.claims import ClaimApproved, CoverRegistered
from schemas.instants import format_instant
from schemas.rulebook import Outcome
from services.kernel.decider import Send
from tests.unit.claims.examples import (
    EXPIRY,
    GRACE_END,
    HOLDER,
    OPEN,
    START,
    decided,
    filing,
    knowing,
    published,
    reducing,
    registration,
    ruling,
    withdrawing,
)
from tests.unit.claims.pool_examples import (
    CLAIM,
    CUT_OFF,
    ISSUED,
    POOL_FACTS,
    POOLED,
    SETTLED,
    exposure,
    pool_approved,
    pool_filed,
    routed,
    sold,
    unsold,
)

OUTCOMES = pytest.mark.parametrize("outcome", ["deny", "draw"])


def test_issue__cover_of_a_pool_is_registered_and_its_holder_known() -> None:
    specification = sold()
    (event,) = specification.events
    assert isinstance(event, CoverRegistered)
    assert event.model_dump(exclude={"next"}) == ISSUED.model_dump() | {"claimable_until": GRACE_END}
    assert event.next is not None
    assert event.next.due_at == GRACE_END
    holding = NoteHolding(account=HOLDER, cover="main.1", product="P", until=GRACE_END)
    assert routed(specification) == (Send("assessors", f"assessor/{HOLDER}", holding),)


def test_issue__second_time_has_no_effect() -> None:
    sold().when(ISSUED, at=START).then_nothing()
    sold().when(ISSUED.model_copy(update={"amount_minor": 5}), at=START).then_nothing()


def test_issue__sold_cover_cannot_be_registered() -> None:
    sold().when(registration(cover="main.1"), at=START).then_refused("cover.already-registered")
    unsold().when(registration(cover="main.1"), at=START).then_refused("cover.id-reserved")


def test_filing__pool_hears_what_is_claimed() -> None:
    specification = pool_filed()
    opening = OpenCase(
        case=f"claim/{CLAIM}",
        subject="claim",
        rulebook="house@1",
        claimant=HOLDER,
        amount_minor=60,
        product="P",
        incident="P/1",
        pool="main",
    )
    (to_case, to_pool) = routed(specification)
    assert to_case == Send("adjudication", f"case/claim/{CLAIM}", opening)
    assert (to_pool.receiver, to_pool.key) == ("pools", "pool/main")
    assert exposure(specification) == ("undecided", 60)


def test_filing__before_the_cut_off_is_taken_and_at_it_refused() -> None:
    sold().when(filing(cover="main.1"), at=CUT_OFF - 1).then_types("claim.filed.v1")
    refused = sold().when(filing(cover="main.1"), at=CUT_OFF).then_refused("claim.cut-off-passed")
    assert format_instant(CUT_OFF) in refused.accepted
    assert "14d after incident P/1" in refused.accepted


def test_filing__grace_is_asked_before_the_cut_off() -> None:
    sold().when(filing(cover="main.1"), at=GRACE_END).then_refused("claim.grace-ended")


def test_filing__late_confirmation_begins_the_cut_off() -> None:
    late = decided().model_copy(update={"decided_at": EXPIRY})
    facts = knowing(published(SETTLED), POOLED, late)
    sold(facts).when(filing(cover="main.1"), at=CUT_OFF).then_types("claim.filed.v1")


def test_reduced_and_closed__pool_hears_it() -> None:
    assert exposure(pool_filed().when(reducing(5, CLAIM, cover="main.1"), at=OPEN)) == ("undecided", 5)
    withdrawn = pool_filed().when(withdrawing(CLAIM, cover="main.1"), at=OPEN)
    assert exposure(withdrawn) == ("closed", 0)
    assert format_instant(CUT_OFF) in withdrawn.events[0].next.step  # type: ignore[attr-defined]


@OUTCOMES
def test_ruling__not_accepted_frees_what_the_pool_reserves(outcome: Outcome) -> None:
    assert exposure(pool_filed().when(ruling(outcome, claim=CLAIM), at=OPEN)) == ("closed", 0)


def test_approved__waits_for_the_pool() -> None:
    specification = pool_approved()
    (event,) = specification.events
    assert isinstance(event, ClaimApproved)
    assert (event.pool, event.payout, event.amount_minor) == ("main", None, 60)
    assert exposure(specification) == ("approved", 60)
    assert len(routed(specification)) == 1


def test_rulebook_without_settlement__has_no_cut_off() -> None:
    facts = knowing(published(), POOLED, decided())
    sold(facts).when(filing(cover="main.1"), at=CUT_OFF).then_types("claim.filed.v1")
    assert POOL_FACTS.rulebooks["house@1"].settlement is not None
