"""What siblings hear of payouts."""

from collections.abc import Sequence

from schemas.ids import cover_key
from schemas.payouts import PayoutConfirmed
from services.kernel.decider import Decided, Send


def route(decided: Decided) -> Sequence[Send]:
    """Tell claims that a transfer happened; a failed one changes no claim."""
    if isinstance(decided.event, PayoutConfirmed):
        return (Send("claims", cover_key(decided.event.cover), decided.event),)
    return ()
