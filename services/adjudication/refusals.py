"""Refusals of votes and recusals that reach a case without an open round, or while its product is halted."""

from collections.abc import Sequence

from schemas.adjudication import CastVote, Recuse
from schemas.instants import format_instant
from schemas.rulebook import Cooldown
from schemas.rulebook import Stage as Rules
from services.adjudication.case import Case
from services.adjudication.stages.registry import STAGES, StageState
from services.kernel.decider import Refused


def case_unknown(content: CastVote | Recuse) -> Refused:
    """Refuse a vote in a case that nobody opened."""
    name = _name(content)
    return Refused(
        rule=f"{name}.case-unknown",
        value=f"case {content.case}",
        accepted=f"a {name} in a case that was opened, incident/<product>/<n> or claim/<cover>/<n>",
        unknown=True,
    )


def case_closed(content: CastVote | Recuse, how: str) -> Refused:
    """Refuse a vote in a case that is over."""
    name = _name(content)
    return Refused(
        rule=f"{name}.no-open-round",
        value=f"case {content.case} is {how}",
        accepted=f"a {name} in a case with an open round; this one has no further round",
    )


def stage_takes_none(content: CastVote | Recuse, case: Case, state: StageState, procedure: Sequence[Rules]) -> Refused:
    """Refuse a vote while another stage of the case is open, and say which comes next."""
    name = _name(content)
    ends_at = STAGES[state.stage].closes_at(state)
    later = [rules.stage for rules in procedure[state.position + 1 :]]
    votes = [CastVote in STAGES[stage].inputs for stage in later]
    if votes and votes[0]:
        accepted = f"a {name} in the {later[0]} that follows"
    elif any(votes):
        accepted = f"a {name} in the {later[votes.index(True)]} that comes after the {later[0]}"
    else:
        accepted = f"no further {name}: what follows is {', '.join(later) or 'the ruling'}"
    return Refused(
        rule=f"{name}.no-open-round",
        value=f"case {content.case}{_ended(case, state, procedure, ends_at)} is in its {state.stage}, "
        f"which ends by {format_instant(ends_at)}",
        accepted=accepted,
        not_before=ends_at if votes and votes[0] else None,
    )


def halted(case: str, product: str | None, until: int) -> Refused:
    """Refuse a vote while the product is halted: the window stands still meanwhile."""
    return Refused(
        rule="case.halted",
        value=f"case {case}, whose product {product} is halted until {format_instant(until)}",
        accepted="the same once the halt is over: the window ends later by as long as it lasts",
        not_before=until,
    )


def _name(content: CastVote | Recuse) -> str:
    return "vote" if isinstance(content, CastVote) else "recusal"


def _ended(case: Case, state: StageState, procedure: Sequence[Rules], ends_at: int) -> str:
    """Say when the vote ended that a cooldown follows: that is what a late voter asks."""
    rules, before = procedure[state.position], procedure[state.position - 1].stage
    if not isinstance(rules, Cooldown) or CastVote not in STAGES[before].inputs:
        return ""
    halted_for = case.kept.halt.moved if case.kept.halt else 0
    return f", whose {before} ended at {format_instant(ends_at - halted_for - rules.length)},"
