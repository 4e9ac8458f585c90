"""Why a report is refused, and what would be accepted."""

from schemas.incidents import ReportIncident
from schemas.instants import format_duration, format_instant
from services.kernel.decider import Refused


def repeated(report: ReportIncident, producer: str, incident: str) -> Refused:
    """The producer used this reference before: one thing seen is one report, however often it is sent."""
    return Refused(
        rule="report.repeated",
        value=f"reference {report.reference} of {producer}, which belongs to incident {incident}",
        accepted=f"nothing more for {incident}; another reference for something else",
    )


def in_future(report: ReportIncident, at: int) -> Refused:
    """The event would have occurred after its report arrived, at `at` in milliseconds."""
    return Refused(
        rule="report.in-future",
        value=f"occurred_at {format_instant(report.occurred_at)}",
        accepted=f"occurred_at {format_instant(at)}, when the report arrived, or earlier",
        not_before=report.occurred_at,
    )


def product_unknown(report: ReportIncident) -> Refused:
    """Governance has not listed the product, or incidents has not heard of it yet."""
    return Refused(
        rule="report.product-unknown",
        value=f"product {report.product}",
        accepted="a product that governance listed",
        unknown=True,
    )


def too_old(report: ReportIncident, at: int, report_within: int) -> Refused:
    """The event lies more than `report_within` milliseconds before `at`, when its report arrived."""
    earliest, span = format_instant(at - report_within), format_duration(report_within)
    return Refused(
        rule="report.too-old",
        value=f"occurred_at {format_instant(report.occurred_at)}",
        accepted=f"occurred_at {earliest}, {span} before the report arrived, or later",
    )
