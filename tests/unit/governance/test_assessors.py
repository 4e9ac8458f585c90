from schemas.governance import AssessorProfiled
from schemas.outcomes import NextStep
from tests.unit.governance.examples import ScopeSpecification, account, profile

ASSESSOR = account(7)


def test_assessor_is_profiled() -> None:
    step = f"votes of {ASSESSOR} weigh with stake 100 in rounds that open from now on"
    ScopeSpecification().root(profile(100, account(8))).then(
        AssessorProfiled(assessor=ASSESSOR, stake_minor=100, linked_accounts=(account(8),), next=NextStep(step=step))
    )


def test_stake_of_zero_ends_the_right_to_vote() -> None:
    step = NextStep(step=f"votes of {ASSESSOR} end in rounds that open from now on")
    ScopeSpecification().root(profile(100), profile(0)).then(
        AssessorProfiled(assessor=ASSESSOR, stake_minor=0, linked_accounts=(), next=step)
    )


def test_first_profile_may_have_no_stake() -> None:
    ScopeSpecification().root(profile(0)).then_types("assessor.profiled.v1")


def test_linked_accounts_have_one_spelling_and_leave_out_the_assessor() -> None:
    scope = ScopeSpecification().root(profile(100, account(9), ASSESSOR, account(8), account(9)))
    assert scope.state.assessors[ASSESSOR].linked_accounts == (account(8), account(9))


def test_same_profile_is_refused() -> None:
    scope = ScopeSpecification().root(profile(100, account(8), account(9)))
    scope.root(profile(100, account(9), ASSESSOR, account(8))).then_refused("assessor.unchanged")


def test_linked_accounts_can_change() -> None:
    ScopeSpecification().root(profile(100, account(8)), profile(100)).then_types("assessor.profiled.v1")
