"""A recusal: an assessor who has not voted steps back from the case; whoever is left may all have voted already."""

from collections.abc import Sequence

from schemas.adjudication import AssessorRecused, Recuse
from schemas.envelope import Event
from schemas.outcomes import NextStep
from schemas.rulebook import Ballot
from services.adjudication.ballot.count import closed
from services.adjudication.ballot.round import Round, with_event
from services.adjudication.ballot.schedule import due
from services.adjudication.facts import Facts
from services.kernel.decider import Refused


def recuse(rules: Ballot, state: Round, facts: Facts, content: Recuse, at: int) -> Sequence[Event]:
    """Decide a recusal stamped `at`: it costs nothing, and the eligible sums are without it from here on."""
    bounds = state.opened
    stake_minor = facts.profiles.stake_at(content.assessor, bounds.facts_version)
    refusal = _refusal(state, content.assessor, stake_minor)
    if refusal:
        return [refusal]
    heads = bounds.eligible_heads - 1
    recused = AssessorRecused(
        round=bounds.round,
        assessor=content.assessor,
        reason=content.reason,
        eligible_stake_minor=bounds.eligible_stake_minor - stake_minor,
        eligible_heads=heads,
    )
    after = with_event(state, recused)
    closes_at = due(after, after.heads)
    recused = recused.model_copy(update={"next": NextStep(step="ballot closes", due_at=max(at, closes_at))})
    overdue = at >= due(state, state.heads)
    return [recused] if closes_at > at or overdue else [recused, closed(rules, after, at)]


def _refusal(state: Round, assessor: str, stake_minor: int) -> Refused | None:
    number = state.opened.round
    reason = state.excluded.get(assessor)
    if reason is not None:
        return Refused(
            rule="recusal.excluded",
            value=f"{assessor} {reason}",
            accepted=f"a recusal from round {number} of an assessor who may vote in it",
        )
    if not stake_minor:
        return Refused(
            rule="recusal.not-an-assessor",
            value=f"{assessor} had a stake of 0 base units when round {number} opened",
            accepted="a recusal of an assessor who had a stake above 0 when the round opened",
        )
    earlier = state.votes.get(assessor)
    if earlier is not None:
        return Refused(
            rule="recusal.already-voted",
            value=f"{assessor} voted {earlier.choice} in round {number}",
            accepted="a recusal before the vote",
        )
    return None
