"""Who learns of what: of a ruling the service that opened the case, of a vote's end its assessor."""

from collections.abc import Sequence

from schemas.adjudication import CaseRuled, VotesSettled
from schemas.assessors import LocksAnswered, SettleVote
from schemas.ids import assessor_key, cover_key, parent, product_key
from services.kernel.decider import Decided, Send


def route(decided: Decided) -> Sequence[Send]:
    """Send a ruling to the aggregate that holds the incident or the claim, and to assessors what concerns them."""
    match decided.event:
        case CaseRuled() as ruling:
            identifier = parent(ruling.case.partition("/")[2])
            if ruling.subject == "incident":
                return (Send("incidents", product_key(identifier), ruling),)
            return (Send("claims", cover_key(identifier), ruling),)
        case VotesSettled() as settled:
            return [Send("assessors", assessor_key(line.assessor), line) for line in _settlements(settled)]
        case LocksAnswered() as answered:
            return (Send("assessors", assessor_key(answered.assessor), answered),)
        case _:
            return ()


def _settlements(settled: VotesSettled) -> list[SettleVote]:
    return [
        SettleVote(
            case=settled.case,
            round=settled.round,
            assessor=line.assessor,
            forfeit_minor=line.forfeit_minor,
            reward_minor=line.reward_minor,
            holds=line.holds,
        )
        for line in settled.lines
    ]
