"""Which open cases hold a stake, as a partition answers a withdrawal."""

import pytest

from schemas.adjudication import WithdrawCase
from schemas.assessors import LocksAnswered
from schemas.instants import DAY
from services.adjudication.facts import Facts
from services.adjudication.locks import LocksDecider
from services.adjudication.settlement import LINES_MAX
from services.kernel.specification import Specification
from tests.unit.adjudication.examples import CLAIM, T0, account, announced, ballot, claim, counted, profiled, staked

A = account(1)


def locks(facts: Facts) -> Specification:
    return Specification(LocksDecider(), facts=facts, key="locks/2")


def held(facts: Facts, assessor: str = A) -> dict[str, int]:
    specification = locks(facts).when(announced(assessor, 0), at=T0)
    (event,) = specification.events
    assert isinstance(event, LocksAnswered)
    return event.cases


def test_answer_names_the_cases_voted_in() -> None:
    case = claim(*staked(10, 20)).vote(1, at=T0)
    locks(case.facts).when(announced(A, 0, withdrawal=4), at=T0, partition=2, partitions=3).then(
        LocksAnswered(assessor=A, withdrawal=4, partition=2, partitions=3, cases={CLAIM: 10})
    )
    assert held(case.facts, account(2)) == {}


def test_answer__once() -> None:
    specification = locks(Facts()).when(announced(A, 0, withdrawal=2), at=T0)
    specification.when(announced(A, 0, withdrawal=2), at=T0).then_nothing()
    specification.when(announced(A, 0, withdrawal=1), at=T0).then_nothing()
    specification.when(announced(account(2), 0), at=T0).then_types("locks.answered.v1")
    specification.when(announced(A, 0, withdrawal=3), at=T0).then_types("locks.answered.v1")


def test_case_holds_until_its_votes_are_settled() -> None:
    case = claim(*staked(10), procedure=(ballot(), ballot())).vote(1, at=T0).fire()
    assert held(case.facts) == {CLAIM: 10}
    assert held(case.fire().facts) == {}


def test_case_holds_until_its_last_round_is_settled() -> None:
    case = claim(*staked(*[10] * (LINES_MAX + 1)), procedure=(ballot(), ballot()))
    for number in range(1, LINES_MAX + 2):
        case.vote(number, at=T0)
    case.fire().vote(1, at=T0 + 3 * DAY).vote(2, at=T0 + 3 * DAY).fire()
    assert [held(case.facts, account(number)) for number in (1, 3, LINES_MAX + 1)] == [{CLAIM: 10}, {}, {CLAIM: 10}]
    case.fire()
    assert [held(case.facts, account(number)) for number in (1, 3, LINES_MAX + 1)] == [{}, {}, {}]


def test_case_holds_no_more__withdrawn() -> None:
    case = claim(*staked(10)).vote(1, at=T0).when(WithdrawCase(case=CLAIM), at=T0 + 1)
    assert held(case.facts) == {}


def test_vote__after_the_stake_left() -> None:
    case = claim(*staked(10, 20)).note(announced(A, 4), profiled(A, 4), announced(account(2), 0))
    assert counted(case.vote(1, at=T0)).weight_minor == 4
    assert held(case.facts) == {CLAIM: 4}
    case.vote(2, at=T0).then_refused("vote.not-an-assessor")


def test_decide__foreign_message_is_a_bug() -> None:
    with pytest.raises(TypeError, match=r"no rule for case[.]withdraw[.]v1"):
        locks(Facts()).when(WithdrawCase(case=CLAIM), at=T0)
