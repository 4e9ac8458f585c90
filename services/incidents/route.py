"""Whom incidents tells what."""

from collections.abc import Sequence

from schemas.adjudication import AddReport, OpenCase, WithdrawCase
from schemas.ids import case_key, pool_key
from schemas.incidents import IncidentAlarmed, IncidentDecided, IncidentOpened, Reported, ReportJoined
from services.kernel.decider import BROADCAST, Decided, Send


def route(decided: Decided) -> Sequence[Send]:
    """Ask adjudication for rulings and pass it reports; tell claims and pools what is decided, and pools of alarms."""
    match decided.event:
        case IncidentOpened() as opened:
            return (_open_case(opened), _add_report(opened))
        case ReportJoined() as joined:
            return (_add_report(joined),)
        case IncidentAlarmed() as event:
            return (Send("pools", BROADCAST, event),)
        case IncidentDecided() as event:
            return _tell(event)
        case _:
            return ()


def _tell(event: IncidentDecided) -> Sequence[Send]:
    """Tell every partition before the pool itself, so that the pool decides knowing of it."""
    sends = [Send(receiver, BROADCAST, event) for receiver in ("claims", "pools")]
    if event.pool is not None:
        sends.append(Send("pools", pool_key(event.pool), event))
    if event.by_finding:
        case = _case(event.incident)
        sends.append(Send("adjudication", case_key(case), WithdrawCase(case=case)))
    return sends


def _case(incident: str) -> str:
    return f"incident/{incident}"


def _open_case(opened: IncidentOpened) -> Send:
    case = _case(opened.incident)
    content = OpenCase(
        case=case,
        subject="incident",
        rulebook=opened.rulebook,
        product=opened.product,
        incident=opened.incident,
        pool=opened.pool,
    )
    return Send("adjudication", case_key(case), content)


def _add_report(reported: Reported) -> Send:
    case = _case(reported.incident)
    content = AddReport(case=case, producer=reported.producer, reference=reported.reference)
    return Send("adjudication", case_key(case), content)
