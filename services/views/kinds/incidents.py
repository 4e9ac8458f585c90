"""Incidents and the reports that make them."""

from collections.abc import Iterable
from typing import Literal

from schemas.envelope import Event
from schemas.incidents import IncidentAlarmed, IncidentDecided, IncidentOpened, Reported, ReportJoined
from schemas.instants import Instant
from services.views.kind import Joined, Kind, Meta, Part, Row, base, by, change

LOGS = ("incidents.events",)


class Alarm(Part):
    """Who reported credibly, and until when sales and exits stop if nothing decides the incident before."""

    producer: str
    weight: int
    until: Instant


class IncidentRow(Row):
    """An incident; `occurred_at` and `summary` are of its first report."""

    status: Literal["reported", "confirmed", "rejected", "drawn"]
    product: str
    rulebook: str
    occurred_at: Instant
    summary: str
    opened_at: Instant
    reports_count: int
    case: str
    alarm: Alarm | None = None
    pool: str | None = None
    decided_at: Instant | None = None
    by_finding: bool = False


def _incident(row: IncidentRow | None, event: Event, meta: Meta) -> IncidentRow | None:
    match event:
        case IncidentOpened():
            return IncidentRow(
                **base(meta),
                status="reported",
                product=event.product,
                rulebook=event.rulebook,
                occurred_at=event.occurred_at,
                summary=event.summary,
                opened_at=meta.at,
                reports_count=1,
                case=f"incident/{event.incident}",
                pool=event.pool,
            )
        case ReportJoined() if row:
            return change(row, meta, reports_count=row.reports_count + 1)
        case IncidentAlarmed() if row:
            alarm = Alarm(producer=event.producer, weight=event.weight, until=event.until)
            return change(row, meta, alarm=alarm)
        case IncidentDecided() if row:
            return change(
                row,
                meta,
                status=event.status,
                pool=event.pool,
                decided_at=event.decided_at,
                by_finding=event.by_finding,
            )
        case _:
            return row


class ReportRow(Row):
    """A report: `<incident>/<producer>/<reference>`."""

    incident: str
    producer: str
    reference: str
    occurred_at: Instant
    summary: str
    evidence: tuple[str, ...]
    reported_at: Instant


def _report_id(event: Reported, _: Meta) -> Iterable[str]:
    return (f"{event.incident}/{event.producer}/{event.reference}",)


def _report(row: ReportRow | None, event: Event, meta: Meta) -> ReportRow | None:
    if not isinstance(event, Reported):
        return row
    return ReportRow(
        **base(meta),
        incident=event.incident,
        producer=event.producer,
        reference=event.reference,
        occurred_at=event.occurred_at,
        summary=event.summary,
        evidence=event.evidence,
        reported_at=meta.at,
    )


KINDS = (
    Kind(
        "incidents",
        IncidentRow,
        LOGS,
        dict.fromkeys((IncidentOpened, ReportJoined, IncidentAlarmed, IncidentDecided), by("incident")),
        _incident,
        ("product", "status", "pool"),
        (Joined("reports", "reports", "incident"),),
    ),
    Kind(
        "reports",
        ReportRow,
        LOGS,
        {IncidentOpened: _report_id, ReportJoined: _report_id},
        _report,
        ("incident", "producer"),
    ),
)
