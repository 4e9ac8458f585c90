"""A state read back from a snapshot is the state, and goes on as it would have."""

from collections.abc import Callable

import pytest
from pydantic import TypeAdapter

from schemas.instants import DAY
from schemas.rulebook import Incentives
from services.adjudication.ballot.round import Round
from services.adjudication.case import Case
from services.adjudication.facts import Facts
from services.adjudication.locks import Locks
from services.adjudication.settlement import LINES_MAX
from services.adjudication.stages.cooldown import Cooling
from services.adjudication.stages.corroboration import Corroborating
from services.kernel.persistent import PersistentMap
from tests.unit.adjudication.examples import (
    POOL,
    PRODUCT,
    T0,
    CaseSpecification,
    account,
    announced,
    ballot,
    claim,
    cooldown,
    halted,
    holding,
    incident,
    profiled,
    providing,
    report,
    staked,
)


def voting() -> CaseSpecification:
    assessors = (*staked(5, 7), profiled(account(3), 9, account(999)))
    return claim(*assessors, procedure=(ballot(), cooldown())).vote(1, at=T0 + 1, clause="1.2")


CASES: dict[type, Callable[[], CaseSpecification]] = {
    Corroborating: lambda: incident().when(report("a"), at=T0 + 1),
    Round: voting,
    Cooling: lambda: voting().fire(),
    type(None): lambda: voting().fire().fire(),
}


@pytest.mark.parametrize("stage", CASES)
def test_case_is_read_back(stage: type) -> None:
    case = CASES[stage]()
    assert isinstance(case.state.stage, stage)
    adapter = TypeAdapter(Case)
    state = adapter.validate_json(adapter.dump_json(case.state))
    assert state == case.state
    assert type(state.stage) is type(case.state.stage)
    assert adapter.dump_json(state) == adapter.dump_json(case.state)
    expected = case.deadlines()
    case.state = state
    assert case.deadlines() == expected


def test_case_nobody_opened_is_read_back() -> None:
    adapter = TypeAdapter(Case)
    assert adapter.validate_json(adapter.dump_json(Case())) == Case()


def halting() -> CaseSpecification:
    """Halt the cooldown of a case in which an assessor stepped back and another voted."""
    case = claim(*staked(5, 7), procedure=(ballot(), cooldown()), product=PRODUCT, pool=POOL)
    case.recuse(1, at=T0).vote(2, at=T0, rationale="seen it").fire()
    return case.hear(halted(T0 + 3 * DAY, T0 + 4 * DAY), at=T0 + 3 * DAY)


def settling() -> CaseSpecification:
    """Leave lines of votes to be settled, with a unit left for the largest remainders."""
    rules = ballot(incentives=Incentives(wrong_bps=1_000, spare_reasoned=False))
    case = claim(*staked(*range(10, LINES_MAX + 20)), procedure=(rules,))
    for number in range(1, LINES_MAX + 11):
        case.vote(number, "deny" if number < 90 else "accept", at=T0)
    return case.fire()


@pytest.mark.parametrize("made", [halting, settling])
def test_case_with_more_to_keep_is_read_back(made: Callable[[], CaseSpecification]) -> None:
    case = made()
    adapter = TypeAdapter(Case)
    assert adapter.validate_json(adapter.dump_json(case.state)) == case.state
    facts = TypeAdapter(Facts)
    assert facts.validate_json(facts.dump_json(case.facts)) == case.facts
    assert settling().state.kept.settling.cut is not None


def test_locks_are_read_back() -> None:
    adapter = TypeAdapter(Locks)
    locks = Locks(PersistentMap({account(1): 3}))
    assert adapter.validate_json(adapter.dump_json(locks)) == locks


def test_facts_are_read_back() -> None:
    ties = (holding(account(1), 5, T0), providing(account(2), 7, 3), profiled(account(4), 1, interests=("lend",)))
    facts = voting().note(*ties, announced(account(4), 0), halted(T0, T0 + 1)).facts
    adapter = TypeAdapter(Facts)
    again = adapter.validate_json(adapter.dump_json(facts))
    assert again == facts
    assert again.profiles.linking_to(account(999)) == [account(3)]
