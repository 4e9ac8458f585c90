from schemas.governance import GroupSet
from schemas.outcomes import NextStep
from tests.unit.governance.examples import ScopeSpecification, group, principal, revocation


def registered() -> ScopeSpecification:
    return ScopeSpecification().root(*(principal(principal=name) for name in ("ann", "bob", "cid")))


def test_group_is_set() -> None:
    registered().root(group("bob", "ann")).then(
        GroupSet(group="guardians", members=("ann", "bob"), next=NextStep(step="ann, bob act for guardians"))
    )


def test_group_is_ended() -> None:
    registered().root(group("ann"), group()).then(
        GroupSet(group="guardians", members=(), next=NextStep(step="nobody acts for guardians"))
    )


def test_members_can_change() -> None:
    registered().root(group("ann", "bob"), group("bob", "cid")).then_types("group.set-to.v1")


def test_same_members_are_refused__in_another_order_and_twice() -> None:
    refusal = registered().root(group("ann", "bob"), group("bob", "ann", "bob")).then_refused("group.unchanged")
    assert refusal.value == "guardians with members ann, bob"


def test_same_members_are_refused__none() -> None:
    assert registered().root(group()).then_refused("group.unchanged").value == "guardians without members"


def test_member_is_registered__never() -> None:
    refusal = registered().root(group("ann", "dan", "eve")).then_refused("group.member-unknown")
    assert (refusal.value, refusal.unknown) == ("dan, eve", True)


def test_member_is_registered__revoked() -> None:
    registered().root(revocation("ann"), group("ann")).then_refused("group.member-unknown")


def test_groups_are_many() -> None:
    registered().root(group("ann"), group("ann", group="council")).then_types("group.set-to.v1")
