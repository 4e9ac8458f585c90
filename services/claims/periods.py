"""The instants that a cover's terms and its rulebook make.

When it covers, when it can be claimed on, and when a claim is ruled on at the latest. Halts are the product's: the
windows of a filing count time outside them.
"""

from collections.abc import Sequence

from schemas.halts import NO_HALTS, Halt, passed
from schemas.instants import LAST, format_instant
from schemas.rulebook import Ballot, ClaimRules, Cooldown, Corroboration, Intake, Settlement, Stage


def later(instant: int, span: int) -> int:
    """Add a span to an instant, both in milliseconds; no later than the last instant that can be spelled."""
    return min(instant + span, LAST)


def covered_from(starts_at: int, intake: Intake) -> int:
    """Return the first instant of an incident that is covered."""
    return later(starts_at, intake.waiting_period)


def grace_end(expires_at: int, intake: Intake, halts: Sequence[Halt] = NO_HALTS) -> int:
    """Return the end of the grace after expiry; `intake.grace_inclusive` says whether it is inside."""
    return passed(expires_at, intake.grace, halts)


def claimable_from(occurred_at: int, intake: Intake, halts: Sequence[Halt] = NO_HALTS) -> int:
    """Return from when an incident can be claimed for; that instant is inside."""
    return passed(occurred_at, intake.not_before, halts)


def cut_off(decided_at: int, settlement: Settlement, halts: Sequence[Halt] = NO_HALTS) -> int:
    """Return until when a confirmed incident can be claimed for where a pool settles it; that instant is outside."""
    return passed(decided_at, settlement.cut_off, halts)


def is_over(instant: int, end: int, *, inclusive: bool) -> bool:
    """Tell whether `instant` lies after a period that ends at `end`."""
    return instant > end if inclusive else instant >= end


def until(end: int, *, inclusive: bool) -> str:
    """Spell the end of a period, with whether that instant itself is inside."""
    return f"{'until' if inclusive else 'before'} {format_instant(end)}"


def ruled_by(since: int, rules: ClaimRules) -> int:
    """Return when a claim filed at `since` is ruled on if every stage of the procedure takes its full length."""
    return later(since, sum(_length(stage) for stage in rules.procedure))


def _length(stage: Stage) -> int:
    match stage:
        case Cooldown():
            return stage.length
        case Ballot() | Corroboration():
            return stage.window
