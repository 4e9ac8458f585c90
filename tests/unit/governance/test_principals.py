import pytest

from schemas.governance import PrincipalRegistered, PrincipalRevoked
from schemas.outcomes import NextStep
from schemas.topics import INPUTS
from tests.unit.governance.examples import KEY, OTHER_KEY, ScopeSpecification, account, principal, revocation


def registered() -> ScopeSpecification:
    return ScopeSpecification().root(principal())


def test_principal_is_registered() -> None:
    registered().then(
        PrincipalRegistered(
            principal="watch",
            public_key=KEY,
            streams=("incident.reports",),
            accounts=(account(1),),
            next=NextStep(step="watch can vouch, at each service from when it hears of this"),
        )
    )


def test_all_accounts_are_spelled_as_a_star() -> None:
    scope = ScopeSpecification().root(principal(accounts="*"))
    assert scope.state.principals["watch"].accounts == ("*",)


def test_all_streams_are_spelled_as_a_star__others_named_too() -> None:
    scope = ScopeSpecification().root(principal(streams=("claim.filings", "*")))
    assert scope.state.principals["watch"].streams == ("*",)


def test_lists_have_one_spelling() -> None:
    scope = ScopeSpecification().root(
        principal(streams=("incident.reports", "claim.filings"), accounts=(account(2), account(1), account(2)))
    )
    held = scope.state.principals["watch"]
    assert held.streams == ("claim.filings", "incident.reports")
    assert held.accounts == (account(1), account(2))


@pytest.mark.parametrize("stream", [stream.name for stream in INPUTS])
def test_stream_is_public(stream: str) -> None:
    ScopeSpecification().root(principal(streams=(stream,))).then_types("principal.registered.v1")


@pytest.mark.parametrize("stream", ["claims.inbox", "claims.events", "payout.instructions", ""])
def test_stream_is_public__refused(stream: str) -> None:
    scope = ScopeSpecification().root(principal(streams=("claim.filings", stream, "nothing")))
    refusal = scope.then_refused("principal.stream-unknown")
    assert refusal.value == f"{stream}, nothing"
    assert refusal.accepted.startswith("governance.actions, assessor.actions, incident.reports")


def test_same_registration_is_refused() -> None:
    registered().root(principal()).then_refused("principal.unchanged")


def test_same_registration_is_refused__spelled_otherwise() -> None:
    action = principal(streams=("incident.reports",) * 2, accounts=(account(1),) * 2)
    registered().root(action).then_refused("principal.unchanged")


def test_key_of_a_live_principal_rotates() -> None:
    scope = registered().root(principal(public_key=OTHER_KEY))
    scope.then_types("principal.registered.v1")
    assert scope.state.principals["watch"].public_key == OTHER_KEY


@pytest.mark.parametrize("change", [{"streams": ("*",)}, {"accounts": ()}, {"accounts": "*"}])
def test_rights_of_a_live_principal_change(change: dict[str, object]) -> None:
    registered().root(principal(**change)).then_types("principal.registered.v1")


def test_principal_is_revoked() -> None:
    step = NextStep(step="watch can vouch no more, at each service from when it hears of this")
    registered().root(revocation()).then(PrincipalRevoked(principal="watch", next=step))


def test_revoking_needs_a_principal__never_registered() -> None:
    assert ScopeSpecification().root(revocation()).then_refused("principal.unknown").unknown


def test_revoking_needs_a_principal__revoked() -> None:
    registered().root(revocation(), revocation()).then_refused("principal.unknown")


def test_revoked_principal_can_be_registered_again() -> None:
    registered().root(revocation(), principal()).then_types("principal.registered.v1")


@pytest.mark.parametrize("owner", ["root", "registrar", "treasury"])
def test_owners_of_streams_are_reserved(owner: str) -> None:
    ScopeSpecification().root(principal(principal=owner)).then_refused("principal.reserved")
    refusal = ScopeSpecification().root(revocation(owner)).then_refused("principal.reserved")
    assert (refusal.value, refusal.accepted) == (owner, "an id other than root, registrar, treasury")
    assert not refusal.unknown
