"""Refusals of votes that reach a case without an open round."""

from collections.abc import Sequence

from schemas.adjudication import CastVote
from schemas.instants import format_instant
from schemas.rulebook import Cooldown
from schemas.rulebook import Stage as Rules
from services.adjudication.stages.registry import STAGES, StageState
from services.kernel.decider import Refused


def case_unknown(case: str) -> Refused:
    """Refuse a vote in a case that nobody opened."""
    return Refused(
        rule="vote.case-unknown",
        value=f"case {case}",
        accepted="a vote in a case that was opened, incident/<product>/<n> or claim/<cover>/<n>",
        unknown=True,
    )


def case_closed(case: str, how: str) -> Refused:
    """Refuse a vote in a case that is over."""
    return Refused(
        rule="vote.no-open-round",
        value=f"case {case} is {how}",
        accepted="a vote in a case with an open round; this one has no further round",
    )


def stage_takes_no_votes(case: str, state: StageState, procedure: Sequence[Rules]) -> Refused:
    """Refuse a vote while another stage of the case is open, and say which comes next."""
    ends_at = min(deadline.due for deadline in STAGES[state.stage].deadlines(state))
    later = [rules.stage for rules in procedure[state.position + 1 :]]
    votes = [CastVote in STAGES[name].inputs for name in later]
    if votes and votes[0]:
        accepted = f"a vote in the {later[0]} that follows"
    elif any(votes):
        accepted = f"a vote in the {later[votes.index(True)]} that comes after the {later[0]}"
    else:
        accepted = f"no further vote: what follows is {', '.join(later) or 'the ruling'}"
    return Refused(
        rule="vote.no-open-round",
        value=f"case {case}{_ended(state, procedure, ends_at)} is in its {state.stage}, "
        f"which ends by {format_instant(ends_at)}",
        accepted=accepted,
        not_before=ends_at if votes and votes[0] else None,
    )


def _ended(state: StageState, procedure: Sequence[Rules], ends_at: int) -> str:
    """Say when the vote ended that a cooldown follows: that is what a late voter asks."""
    rules, before = procedure[state.position], procedure[state.position - 1].stage
    if not isinstance(rules, Cooldown) or CastVote not in STAGES[before].inputs:
        return ""
    return f", whose {before} ended at {format_instant(ends_at - rules.length)},"
