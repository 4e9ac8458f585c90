from schemas.assessors import AssessorProfiled, AssessorRegistered, InterestsDeclared, RegisterAssessor
from tests.unit.assessors.examples import ASSESSOR, OTHER, REGISTRATION, START, profile, registered, unknown


def test_registration_makes_an_assessor_without_stake() -> None:
    registered().then_types("assessor.registered.v1", "assessor.profiled.v1")


def test_registration__linked_accounts_in_order_and_without_itself() -> None:
    action = RegisterAssessor(assessor=ASSESSOR, linked_accounts=(OTHER, ASSESSOR, OTHER))
    specification = unknown().when(action, at=START, sender=ASSESSOR)
    event = specification.events[0]
    assert isinstance(event, AssessorRegistered)
    assert event.linked_accounts == (OTHER,)
    assert event.next is not None
    assert profile(specification) == AssessorProfiled(assessor=ASSESSOR, stake_minor=0, linked_accounts=(OTHER,))


def test_registration__registered() -> None:
    refusal = registered().when(REGISTRATION, at=START).then_refused("assessor.already-registered")
    assert "assessor.declare.v1" in refusal.accepted


def test_registration__covers_and_capital_were_noted_before() -> None:
    specification = unknown().hold("C-1", START + 1).provide(20).when(REGISTRATION, at=START)
    assert [holding.cover for holding in profile(specification).holdings] == ["C-1"]
    assert [share.share_bps for share in profile(specification).shares] == [20]


def test_declaration_replaces_both_lists() -> None:
    specification = registered().declare("b", "a", "b", linked=(ASSESSOR, OTHER))
    event = specification.events[0]
    assert isinstance(event, InterestsDeclared)
    assert (event.products, event.linked_accounts) == (("a", "b"), (OTHER,))
    assert (profile(specification).interests, profile(specification).linked_accounts) == (("a", "b"), (OTHER,))
    specification.declare("a")
    assert (profile(specification).interests, profile(specification).linked_accounts) == (("a",), ())


def test_declaration__the_same() -> None:
    registered().declare("a", "b").declare("b", "a").then_refused("assessor.unchanged")


def test_declaration__not_registered() -> None:
    refusal = unknown().declare("a").then_refused("assessor.not-registered")
    assert refusal.unknown
