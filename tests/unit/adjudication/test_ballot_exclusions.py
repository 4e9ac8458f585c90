"""Who is party to a case besides the claimant, and may not vote in it."""

import pytest

from schemas.adjudication import AssessorExcluded, BallotOpened
from schemas.assessors import AssessorProfiled
from schemas.rulebook import Ballot
from tests.unit.adjudication.examples import (
    CLAIMANT,
    POOL,
    PRODUCT,
    T0,
    CaseSpecification,
    account,
    ballot,
    claim,
    counted,
    holding,
    incident,
    profiled,
    providing,
    staked,
)

EVERYBODY = ballot(excluded=("claimant", "holders", "providers", "interested"), provider_share_bps=100)
A, B, C = account(1), account(2), account(3)


def case(*profiles: AssessorProfiled, rules: Ballot = EVERYBODY) -> CaseSpecification:
    return claim(*profiles, procedure=(rules,), product=PRODUCT, pool=POOL)


def reasons(opened: CaseSpecification) -> dict[str, str]:
    found = {event.assessor: event.reason for event in opened.events if isinstance(event, AssessorExcluded)}
    assert list(found) == sorted(found)
    return {assessor: reason for assessor, reason in found.items() if assessor != CLAIMANT}


def test_holder_of_cover_is_excluded() -> None:
    opened = case(holding(A, 10, T0 + 1), *staked(0, 20))
    # The second profile of an account replaces the first: account 1 holds nothing any more.
    assert reasons(opened) == {}
    opened = case(*staked(10, 20), holding(A, 10, T0 + 1))
    assert reasons(opened) == {A: "holds cover C-9 of lend, until 2026-03-01T12:00:00.001Z"}
    ballot_opened = opened.events[1]
    assert isinstance(ballot_opened, BallotOpened)
    assert (ballot_opened.eligible_stake_minor, ballot_opened.eligible_heads) == (20, 1)
    refusal = opened.vote(1, at=T0 + 1).then_refused("vote.excluded")
    assert "holds cover C-9" in refusal.value
    counted(opened.vote(2, at=T0 + 1))


def test_holder__cover_ended_at_the_opening() -> None:
    assert reasons(case(holding(A, 10, T0))) == {}


def test_holder__other_product() -> None:
    assert reasons(case(holding(A, 10, T0 + 1, product="amm"))) == {}


def test_holder__without_stake_needs_no_exclusion() -> None:
    assert reasons(case(holding(A, 0, T0 + 1))) == {}


def test_holder__claimant_is_excluded_as_claimant() -> None:
    opened = case(holding(CLAIMANT, 10, T0 + 1))
    assert [event.reason for event in opened.events if isinstance(event, AssessorExcluded)] == ["is the claimant"]


def test_holder__several_covers_the_longest_speaks() -> None:
    first = holding(A, 10, T0 + 1).holdings[0]
    both = (first, first.model_copy(update={"cover": "C-8", "until": T0 + 2}))
    assert reasons(case(profiled(A, 10, holdings=both)))[A].startswith("holds cover C-8 of lend")
    assert reasons(case(profiled(A, 10, holdings=both[::-1])))[A].startswith("holds cover C-8 of lend")


def test_holder__in_the_case_of_an_incident() -> None:
    opened = incident(*staked(10, 20), holding(A, 10, T0 + 1), procedure=(EVERYBODY,), product=PRODUCT)
    assert list(reasons(opened)) == [A]


@pytest.mark.parametrize(("share_bps", "excluded"), [(100, False), (101, True), (10_000, True)])
def test_provider__more_than_the_share(share_bps: int, *, excluded: bool) -> None:
    opened = case(providing(A, 10, share_bps))
    expected = {A: f"has {share_bps} of 10,000 parts of the capital of pool pool-1"} if excluded else {}
    assert reasons(opened) == expected


def test_provider__any_share_counts() -> None:
    rules = EVERYBODY.model_copy(update={"provider_share_bps": 0})
    assert list(reasons(case(providing(A, 10, 1), providing(B, 10, 0), providing(C, 10, 1), rules=rules))) == [A, C]


def test_provider__share_changed_before_the_opening() -> None:
    assert reasons(case(providing(A, 10, 500), providing(A, 10, 50), providing(B, 10, 500))).keys() == {B}


def test_provider__other_pool_or_none() -> None:
    assert reasons(case(providing(A, 10, 500, pool="pool-2"))) == {}
    assert reasons(claim(providing(A, 10, 500), procedure=(EVERYBODY,), product=PRODUCT)) == {}


def test_interested_is_excluded() -> None:
    opened = case(profiled(A, 10, interests=("amm", PRODUCT)), profiled(B, 10, interests=("amm",)))
    assert reasons(opened) == {A: "declared an interest in lend"}


def test_several_reasons__the_first_in_the_order_of_the_rules() -> None:
    everything = {**dict(holding(A, 10, T0 + 1)), "shares": providing(A, 10, 500).shares, "interests": (PRODUCT,)}
    linked = {**everything, "assessor": B, "linked_accounts": (CLAIMANT,)}
    profiles = [AssessorProfiled.model_validate(content) for content in (everything, linked)]
    opened = case(*profiles)
    assert reasons(opened)[A].startswith("holds cover")
    assert reasons(opened)[B] == "names the claimant as a linked account"
    interested = EVERYBODY.model_copy(update={"excluded": ("interested", "providers")})
    assert reasons(case(*profiles, rules=interested))[A].startswith("has 500 of 10,000 parts")


def test_nobody_but_the_claimant__rulebook_excludes_no_others() -> None:
    assert reasons(case(holding(A, 10, T0 + 1), providing(B, 10, 500), rules=ballot())) == {}


def test_ties_made_after_the_opening_leave_the_electorate() -> None:
    opened = case(*staked(10)).note(holding(A, 10, T0 + 10))
    assert counted(opened.vote(1, at=T0 + 1)).weight_minor == 10
