"""What a producer is told to expect next."""

from schemas.outcomes import NextStep
from schemas.rulebook import Cooldown, IncidentRules


def after_opening(incident: str, rules: IncidentRules, since: int) -> NextStep:
    """The first stage of an incident's procedure begins with the incident, at `since` in milliseconds."""
    first = rules.procedure[0]
    assert not isinstance(first, Cooldown), "no rulebook begins a procedure with a cooldown"
    return NextStep(step=f"{first.stage} for incident {incident} closes", due_at=since + first.window)


def after_joining(incident: str, first: NextStep | None, at: int, *, confirmed: bool) -> NextStep:
    """An incident of which `first` was said at its opening is joined at `at` in milliseconds."""
    if confirmed:
        return NextStep(step=f"incident {incident} is confirmed; covers' rulebooks say when to claim for it")
    if first is not None and first.due_at is not None and at < first.due_at:
        return first
    return NextStep(step=f"ruling on incident {incident}")
