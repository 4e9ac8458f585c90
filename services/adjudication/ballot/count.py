"""The count of a round: exact, from the sums kept with each vote, without going through the votes."""

from typing import Literal, NamedTuple

from schemas.adjudication import BallotClosed
from schemas.rulebook import Ballot, Outcome
from services.adjudication.ballot.round import Round


class Count(NamedTuple):
    """The outcome, and which step of the count decided."""

    rule: Literal["empty", "quorum", "tie", "agreement"]
    outcome: Outcome


def count(rules: Ballot, state: Round) -> Count:
    """Count in the order that `schemas.rulebook.Ballot` lays down: empty, quorum, tie, agreement."""
    if not state.heads:
        return Count("empty", rules.empty)
    if not _quorum_met(rules, state):
        return Count("quorum", rules.unresolved)
    if state.accept_minor == state.deny_minor:
        return Count("tie", rules.tie)
    return Count("agreement", "accept" if _agreement_met(rules, state) else "deny")


def closed(rules: Ballot, state: Round, at: int) -> BallotClosed:
    """Close the round at an instant."""
    rule, outcome = count(rules, state)
    return BallotClosed(
        stage=state.position,
        round=state.opened.round,
        accept_minor=state.accept_minor,
        deny_minor=state.deny_minor,
        heads=state.heads,
        eligible_stake_minor=state.opened.eligible_stake_minor,
        eligible_heads=state.opened.eligible_heads,
        early=at < state.opened.closes_at,
        rule=rule,
        outcome=outcome,
    )


def _quorum_met(rules: Ballot, state: Round) -> bool:
    if rules.quorum.of == "eligible-heads":
        return rules.quorum.met(state.heads, state.opened.eligible_heads)
    return rules.quorum.met(state.accept_minor + state.deny_minor, state.opened.eligible_stake_minor)


def _agreement_met(rules: Ballot, state: Round) -> bool:
    cast = rules.agreement.of == "cast"
    return rules.agreement.met(
        state.accept_minor, state.accept_minor + state.deny_minor if cast else state.opened.eligible_stake_minor
    )
