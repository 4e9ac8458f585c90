"""Whom incidents tells what."""

from collections.abc import Sequence

from schemas.adjudication import AddReport, OpenCase
from schemas.ids import case_key
from schemas.incidents import IncidentDecided, IncidentOpened, Reported, ReportJoined
from services.kernel.decider import BROADCAST, Decided, Send


def route(decided: Decided) -> Sequence[Send]:
    """Ask adjudication for a ruling on a new incident, pass it every report, and tell claims what was decided."""
    match decided.event:
        case IncidentOpened() as opened:
            return (_open_case(opened), _add_report(opened))
        case ReportJoined() as joined:
            return (_add_report(joined),)
        case IncidentDecided() as event:
            return (Send("claims", BROADCAST, event),)
        case _:
            return ()


def _case(incident: str) -> str:
    return f"incident/{incident}"


def _open_case(opened: IncidentOpened) -> Send:
    case = _case(opened.incident)
    return Send(
        "adjudication",
        case_key(case),
        OpenCase(case=case, subject="incident", rulebook=opened.rulebook, claimant=None, amount_minor=0),
    )


def _add_report(reported: Reported) -> Send:
    case = _case(reported.incident)
    content = AddReport(case=case, producer=reported.producer, reference=reported.reference)
    return Send("adjudication", case_key(case), content)
