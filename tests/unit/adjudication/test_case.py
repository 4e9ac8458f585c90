import pytest

from schemas.adjudication import (
    CaseOpened,
    CaseReduced,
    CaseRuled,
    CaseWithdrawn,
    OpenCase,
    ReduceCase,
    WithdrawCase,
)
from schemas.envelope import Message
from schemas.instants import DAY, format_instant
from services.adjudication.decider import CaseDecider
from services.adjudication.facts import Facts
from services.kernel.decider import Deadline
from tests.unit.adjudication.examples import (
    BOOK,
    CLAIM,
    CLAIMANT,
    INCIDENT,
    T0,
    CaseSpecification,
    account,
    ballot,
    cast,
    claim,
    cooldown,
    corroboration,
    incident,
    published,
    report,
    rulebook,
    staked,
    unopened,
)

OPENING = OpenCase(case=CLAIM, subject="claim", rulebook=BOOK, claimant=CLAIMANT, amount_minor=1_000)
REDUCTION = ReduceCase(case=CLAIM, amount_minor=400)
WITHDRAWAL = WithdrawCase(case=CLAIM)


def test_case_opens_with_its_first_stage() -> None:
    case = claim(*staked(10))
    case.then_types("case.opened.v1", "ballot.opened.v1", "assessor.excluded.v1")
    assert case.events[0] == CaseOpened(
        case=CLAIM, subject="claim", rulebook=BOOK, claimant=CLAIMANT, amount_minor=1_000
    )


def test_case_says_who_else_is_party_to_it() -> None:
    parties = {"product": "lend", "incident": "lend/1", "pool": "pool-1"}
    case = unopened(CLAIM, rulebook()).when(OPENING.model_copy(update=parties), at=T0)
    opened = case.events[0]
    assert isinstance(opened, CaseOpened)
    assert (opened.product, opened.incident, opened.pool) == ("lend", "lend/1", "pool-1")


def test_incident_and_claim_have_their_own_procedures() -> None:
    book = rulebook(incident=(corroboration(),), claim=(ballot(excluded=()),))
    unopened(CLAIM, book).when(OPENING, at=T0).then_types("case.opened.v1", "ballot.opened.v1")
    opening = OpenCase(case=INCIDENT, subject="incident", rulebook=BOOK)
    unopened(INCIDENT, book).when(opening, at=T0).then_types("case.opened.v1", "corroboration.opened.v1")


def test_windows_run_from_since() -> None:
    case = unopened(CLAIM, rulebook())
    case.when(OPENING, at=T0, since=T0 - 1)
    assert case.deadlines() == [Deadline("stage.0.closes", T0 - 1 + 3 * DAY)]


def test_repeated_opening__case_is_open() -> None:
    claim().when(OPENING, at=T0 + 1).then_nothing()


def test_repeated_opening__case_is_ruled() -> None:
    claim().fire().when(OPENING, at=T0 + 9 * DAY).then_nothing()


def test_unknown_rulebook_breaks_an_invariant() -> None:
    case = CaseSpecification(CaseDecider(), facts=Facts(), key=f"case/{CLAIM}")
    with pytest.raises(AssertionError, match="rulebook example@1 is not known"):
        case.when(OPENING, at=T0)


def test_later_rulebook_changes_nothing() -> None:
    case = claim(*staked(10)).note(published(rulebook(claim=(ballot(window=DAY),), version=2)))
    case.fire().then_types("ballot.closed.v1", "case.ruled.v1")
    assert case.state.outcome == "deny"


def test_reduction_lowers_the_amount_of_the_ruling() -> None:
    case = claim(*staked(10)).when(REDUCTION, at=T0 + 1).then(CaseReduced(amount_minor=400))
    case.vote(1, at=T0 + 2).fire()
    assert case.events[1] == CaseRuled(case=CLAIM, subject="claim", outcome="accept", amount_minor=400)


@pytest.mark.parametrize("amount_minor", [1_000, 1_001])
def test_reduction__not_less(amount_minor: int) -> None:
    claim().when(ReduceCase(case=CLAIM, amount_minor=amount_minor), at=T0 + 1).then_nothing()


def test_reduction__by_one_unit() -> None:
    claim().when(ReduceCase(case=CLAIM, amount_minor=999), at=T0 + 1).then(CaseReduced(amount_minor=999))


def test_reduction__case_is_ruled() -> None:
    claim().fire().when(REDUCTION, at=T0 + 4 * DAY).then_nothing()


def test_reduction__in_the_cooldown() -> None:
    case = claim(procedure=(ballot(), cooldown())).fire().when(REDUCTION, at=T0 + 3 * DAY + 1)
    case.fire()
    assert case.events[-1] == CaseRuled(case=CLAIM, subject="claim", outcome="deny", amount_minor=400)


def test_withdrawal_ends_the_case_without_a_ruling() -> None:
    case = claim(*staked(10)).when(WITHDRAWAL, at=T0 + 1).then(CaseWithdrawn())
    assert case.deadlines() == []
    case.when(Deadline("stage.0.closes", T0 + 3 * DAY), at=T0 + 3 * DAY).then_nothing()
    case.when(REDUCTION, at=T0 + 3 * DAY).then_nothing()
    case.when(OPENING, at=T0 + 3 * DAY).then_nothing()


def test_withdrawal__case_is_ruled() -> None:
    claim().fire().when(WITHDRAWAL, at=T0 + 4 * DAY).then_nothing()


@pytest.mark.parametrize("content", [REDUCTION, WITHDRAWAL, report("bot", case=CLAIM)])
def test_sibling_message__case_unknown(content: Message) -> None:
    case = CaseSpecification(CaseDecider(), facts=Facts(), key=f"case/{CLAIM}")
    case.when(content, at=T0).then_nothing()


def test_report__stage_takes_none() -> None:
    incident(procedure=(ballot(),)).when(report("bot"), at=T0 + 1).then_nothing()


def test_vote__case_unknown() -> None:
    case = CaseSpecification(CaseDecider(), facts=Facts(), key=f"case/{CLAIM}")
    refusal = case.vote(1, at=T0).then_refused("vote.case-unknown")
    assert refusal.unknown
    assert CLAIM in refusal.value


def test_vote__case_ruled() -> None:
    refusal = claim().fire().vote(1, at=T0 + 4 * DAY).then_refused("vote.no-open-round")
    assert refusal.value == f"case {CLAIM} is ruled: deny"
    assert not refusal.unknown


def test_vote__case_withdrawn_after_a_stage_decided() -> None:
    case = claim(procedure=(ballot(), cooldown())).fire().when(WITHDRAWAL, at=T0 + 3 * DAY + 1)
    assert case.vote(1, at=T0 + 4 * DAY).then_refused("vote.no-open-round").value.endswith("is withdrawn")


def test_vote__in_the_corroboration_before_a_ballot() -> None:
    case = incident(procedure=(corroboration(), ballot()))
    refusal = case.vote(1, at=T0 + 1).then_refused("vote.no-open-round")
    assert refusal.value == f"case {INCIDENT} is in its corroboration, which ends by 2026-03-02T12:00:00.000Z"
    assert refusal.accepted == "a vote in the ballot that follows"
    assert refusal.not_before == T0 + DAY


def test_vote__two_stages_before_a_ballot() -> None:
    case = incident(procedure=(corroboration(), cooldown(), ballot()))
    refusal = case.vote(1, at=T0 + 1).then_refused("vote.no-open-round")
    assert refusal.accepted == "a vote in the ballot that comes after the cooldown"
    assert refusal.not_before is None


def test_vote__in_the_last_cooldown() -> None:
    case = claim(procedure=(ballot(), cooldown())).fire()
    refusal = case.vote(1, at=T0 + 3 * DAY + 1).then_refused("vote.no-open-round")
    assert f"whose ballot ended at {format_instant(T0 + 3 * DAY)}, is in its cooldown" in refusal.value
    assert refusal.accepted == "no further vote: what follows is the ruling"
    assert refusal.not_before is None


def test_input_that_a_stage_does_not_take_leaves_the_state() -> None:
    case = incident()
    before = case.state
    case.when(cast(1, case=INCIDENT), at=T0 + 1, sender=account(1)).then_refused("vote.no-open-round")
    assert case.state is before
