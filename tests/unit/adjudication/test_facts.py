from hypothesis import given
from hypothesis import strategies as st

from schemas.adjudication import BallotOpened, CaseWithdrawn
from schemas.principals import PrincipalRegistered, PrincipalRevoked
from services.adjudication.facts import AdjudicationFacts, Facts
from tests.unit.adjudication.examples import (
    BOOK,
    CLAIM,
    T0,
    account,
    announced,
    noted,
    profiled,
    published,
    recorded,
    rulebook,
)

A, B, C = account(1), account(2), account(3)


def test_version_counts_facts() -> None:
    facts = noted(Facts(), published(rulebook()), profiled(A, 5), profiled(A, 5))
    assert facts.version == 3


def test_rulebook_by_id() -> None:
    book = rulebook()
    facts = noted(Facts(), published(book))
    assert facts.procedure(BOOK, "incident") == book.incident.procedure
    assert facts.procedure(BOOK, "claim") == book.claim.procedure


def opened(facts: Facts, case: str) -> Facts:
    """Let a round of a case open."""
    event = BallotOpened(
        stage=0,
        round=1,
        closes_at=T0,
        closes_early_at=None,
        facts_version=facts.version,
        eligible_stake_minor=0,
        eligible_heads=0,
        cap_minor=None,
    )
    return recorded(facts, f"case/{case}", event)


def closed(facts: Facts, case: str) -> Facts:
    return recorded(facts, f"case/{case}", CaseWithdrawn())


def test_stake_at_a_version() -> None:
    facts = opened(Facts(), CLAIM)
    facts = noted(facts, profiled(A, 5), profiled(B, 7), profiled(A, 0), profiled(A, 9))
    assert [facts.profiles.stake_at(A, version) for version in range(6)] == [0, 5, 5, 0, 9, 9]
    assert [facts.profiles.stake_at(B, version) for version in range(4)] == [0, 0, 7, 7]
    assert facts.profiles.stake_at(C, 4) == 0
    assert facts.stake(A) == 9


def test_stakes_before_the_oldest_open_round_are_forgotten() -> None:
    facts = opened(noted(Facts(), profiled(A, 1), profiled(A, 2)), "claim/C-1/1")
    facts = opened(noted(facts, profiled(A, 3)), "claim/C-2/1")
    facts = noted(facts, profiled(A, 4), profiled(A, 5))
    assert [stake.stake_minor for stake in facts.profiles.stakes[A]] == [2, 3, 4, 5]
    facts = noted(closed(facts, "claim/C-1/1"), profiled(A, 6))
    assert [stake.stake_minor for stake in facts.profiles.stakes[A]] == [3, 4, 5, 6]
    assert facts.profiles.stake_at(A, 3) == 3
    facts = noted(closed(facts, "claim/C-2/1"), profiled(A, 7))
    assert [stake.stake_minor for stake in facts.profiles.stakes[A]] == [7]


def test_oldest_round__a_later_one_closed_first() -> None:
    facts = opened(noted(Facts(), profiled(A, 1)), "claim/C-1/1")
    facts = closed(opened(noted(facts, profiled(A, 2)), "claim/C-2/1"), "claim/C-2/1")
    facts = noted(facts, profiled(A, 3), profiled(A, 4))
    assert facts.profiles.stake_at(A, 1) == 1


def test_withdrawn_stake_weighs_in_no_open_round() -> None:
    facts = opened(noted(Facts(), profiled(A, 10)), CLAIM)
    assert facts.profiles.stake_left(A, 1) == 10
    facts = noted(facts, profiled(A, 30), announced(A, 25), profiled(A, 25))
    assert facts.profiles.stake_left(A, 1) == 10
    facts = noted(facts, announced(A, 4), profiled(A, 4), profiled(A, 60))
    assert (facts.profiles.stake_left(A, 1), facts.profiles.stake_at(A, 1)) == (4, 10)
    assert facts.stake(A) == 60


def test_stake_that_cases_took_still_weighs_in_open_rounds() -> None:
    facts = opened(noted(Facts(), profiled(A, 10)), CLAIM)
    assert noted(facts, profiled(A, 3)).profiles.stake_left(A, 1) == 10


def test_totals_follow_profiles() -> None:
    facts = noted(Facts(), profiled(A, 5), profiled(B, 7))
    assert (facts.profiles.eligible_stake_minor, facts.profiles.eligible_heads) == (12, 2)
    facts = noted(facts, profiled(A, 0), profiled(C, 0))
    assert (facts.profiles.eligible_stake_minor, facts.profiles.eligible_heads) == (7, 1)
    facts = noted(facts, profiled(A, 1))
    assert (facts.profiles.eligible_stake_minor, facts.profiles.eligible_heads) == (8, 2)


def test_links_in_both_directions() -> None:
    facts = noted(Facts(), profiled(A, 5, C), profiled(B, 5, C, A), profiled(A, 5, B))
    assert facts.profiles.linking_to(C) == [B]
    assert facts.profiles.linking_to(A) == [B]
    assert facts.profiles.linking_to(B) == [A]
    assert facts.profiles.linked_from(B) == (C, A)
    assert facts.profiles.linked_from(C) == ()


def test_links_named_twice_go_at_once() -> None:
    facts = noted(Facts(), profiled(A, 5, C, C), profiled(A, 5))
    assert facts.profiles.linking_to(C) == []


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
    assert facts.profiles.eligible_stake_minor == sum(stake for stake, _ in latest.values())
    assert facts.profiles.eligible_heads == sum(stake > 0 for stake, _ in latest.values())
    for number in range(1, 5):
        linking = sorted(name for name, (_, links) in latest.items() if account(number) in links)
        assert facts.profiles.linking_to(account(number)) == linking
