"""When a round closes. Windows are half-open inside: [opened, closes_at)."""

from schemas.rulebook import Ballot
from services.adjudication.ballot.round import Round


def closes_at(rules: Ballot, opened_at: int) -> int:
    """Return the first instant at which a vote is too late: an inclusive end is one millisecond longer."""
    return opened_at + rules.window + rules.end_inclusive


def closes_early_at(rules: Ballot, opened_at: int) -> int | None:
    """Return from when on the round closes once everybody eligible has voted; None when it never does."""
    if rules.early_close is None:
        return None
    return min(opened_at + rules.early_close.after, closes_at(rules, opened_at))


def due(state: Round, heads: int) -> int:
    """Return when the round closes if nobody votes besides these `heads`."""
    opened = state.opened
    if opened.closes_early_at is not None and heads >= opened.eligible_heads:
        return opened.closes_early_at
    return opened.closes_at
