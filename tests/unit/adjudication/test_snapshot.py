"""A state read back from a snapshot is the state, and goes on as it would have."""

from collections.abc import Callable

import pytest
from pydantic import TypeAdapter

from services.adjudication.ballot.round import Round
from services.adjudication.decider import Case
from services.adjudication.facts import Facts
from services.adjudication.stages.cooldown import Cooling
from services.adjudication.stages.corroboration import Corroborating
from tests.unit.adjudication.examples import (
    T0,
    CaseSpecification,
    account,
    ballot,
    claim,
    cooldown,
    incident,
    profiled,
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


def test_facts_are_read_back() -> None:
    facts = voting().facts
    adapter = TypeAdapter(Facts)
    again = adapter.validate_json(adapter.dump_json(facts))
    assert again == facts
    assert again.profiles.linking_to(account(999)) == [account(3)]
