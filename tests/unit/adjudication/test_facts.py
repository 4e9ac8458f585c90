from hypothesis import given
from hypothesis import strategies as st

from schemas.principals import PrincipalRegistered, PrincipalRevoked
from services.adjudication.facts import AdjudicationFacts, Facts
from tests.unit.adjudication.examples import BOOK, account, noted, profiled, published, rulebook

A, B, C = account(1), account(2), account(3)


def test_version_counts_facts() -> None:
    facts = noted(Facts(), published(rulebook()), profiled(A, 5), profiled(A, 5))
    assert facts.version == 3


def test_rulebook_by_id() -> None:
    book = rulebook()
    facts = noted(Facts(), published(book))
    assert facts.procedure(BOOK, "incident") == book.incident.procedure
    assert facts.procedure(BOOK, "claim") == book.claim.procedure


def test_stake_at_a_version() -> None:
    facts = noted(Facts(), profiled(A, 5), profiled(B, 7), profiled(A, 0), profiled(A, 9))
    assert [facts.stake_at(A, version) for version in range(6)] == [0, 5, 5, 0, 9, 9]
    assert [facts.stake_at(B, version) for version in range(4)] == [0, 0, 7, 7]
    assert facts.stake_at(C, 4) == 0
    assert facts.stake(A) == 9


def test_totals_follow_profiles() -> None:
    facts = noted(Facts(), profiled(A, 5), profiled(B, 7))
    assert (facts.eligible_stake_minor, facts.eligible_heads) == (12, 2)
    facts = noted(facts, profiled(A, 0), profiled(C, 0))
    assert (facts.eligible_stake_minor, facts.eligible_heads) == (7, 1)
    facts = noted(facts, profiled(A, 1))
    assert (facts.eligible_stake_minor, facts.eligible_heads) == (8, 2)


def test_links_in_both_directions() -> None:
    facts = noted(Facts(), profiled(A, 5, C), profiled(B, 5, C, A), profiled(A, 5, B))
    assert facts.linking_to(C) == [B]
    assert facts.linking_to(A) == [B]
    assert facts.linking_to(B) == [A]
    assert facts.linked_from(B) == (C, A)
    assert facts.linked_from(C) == ()


def test_links_named_twice_go_at_once() -> None:
    facts = noted(Facts(), profiled(A, 5, C, C), profiled(A, 5))
    assert facts.linking_to(C) == []


def test_principals() -> None:
    fold = AdjudicationFacts()
    registered = PrincipalRegistered(principal="bot", public_key="00", streams=("s",), accounts=("*",))
    facts = noted(fold.initial(), registered)
    principal = fold.principal(facts, "bot")
    assert principal is not None
    assert principal.public_key == "00"
    assert fold.principal(noted(facts, PrincipalRevoked(principal="bot")), "bot") is None
    assert set(fold.types) >= {PrincipalRegistered, PrincipalRevoked}


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3), st.lists(st.integers(1, 4), max_size=3))))
def test_indexes_equal_a_scan(profiles: list[tuple[int, int, list[int]]]) -> None:
    facts = Facts()
    latest: dict[str, tuple[int, list[str]]] = {}
    for assessor, stake, linked in profiles:
        links = [account(number) for number in linked]
        facts = noted(facts, profiled(account(assessor), stake, *links))
        latest[account(assessor)] = (stake, links)
    assert facts.eligible_stake_minor == sum(stake for stake, _ in latest.values())
    assert facts.eligible_heads == sum(stake > 0 for stake, _ in latest.values())
    for number in range(1, 5):
        linking = sorted(name for name, (_, links) in latest.items() if account(number) in links)
        assert facts.linking_to(account(number)) == linking
