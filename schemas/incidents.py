"""Incidents: reports of one event, joined per product and event window."""

from typing import Annotated, Literal

from pydantic import Field

from .envelope import Event, Input, InputTopic, message
from .ids import IncidentId, Name, PoolId, PrincipalId, ProductId, RulebookId, Sha256, Text, product_key
from .instants import Instant
from .outcomes import NextStep


@message("incident.report.v1")
class ReportIncident(Input):
    """A producer says that something happened to a product.

    `reference` is the producer's own id of what it saw: the same producer's same reference is one report, however
    often it is sent. `occurred_at` is when it happened, by the producer's knowledge.
    """

    product: ProductId
    reference: Name
    occurred_at: Instant
    summary: Text
    evidence: Annotated[tuple[Sha256, ...], Field(max_length=64)] = ()

    def key(self) -> str:
        """Return the product's aggregate."""
        return product_key(self.product)


class Reported(Event):
    """Who reported what: common to the first report and those that join it."""

    incident: IncidentId
    producer: PrincipalId
    reference: Name
    occurred_at: Instant
    summary: Text
    evidence: tuple[Sha256, ...] = ()
    next: NextStep | None = None


@message("incident.opened.v1")
class IncidentOpened(Reported):
    """The first report of an event opens an incident; its time is the incident's time. `pool` carries the product."""

    product: ProductId
    rulebook: RulebookId
    pool: PoolId | None = None


@message("report.joined.v1")
class ReportJoined(Reported):
    """A report of an event that is already an incident."""


@message("incident.alarmed.v1")
class IncidentAlarmed(Event):
    """A credible report: until the incident is decided, but at most until `until`, its pool sells and lets go nothing.

    Once per incident. Broadcast to pools.
    """

    incident: IncidentId
    product: ProductId
    producer: PrincipalId
    weight: int
    until: Instant


@message("incident.decided.v1")
class IncidentDecided(Event):
    """The incident's case was ruled on, or governance found on it: confirmed, rejected or a draw.

    Broadcast to claims and pools, and sent to the pool that carries the product. `decided_at` is when the cause was
    decided; filing windows that run from a confirmation run from there.
    """

    incident: IncidentId
    product: ProductId
    occurred_at: Instant
    status: Literal["confirmed", "rejected", "drawn"]
    decided_at: Instant
    pool: PoolId | None = None
    by_finding: bool = False


REPORTS = InputTopic("incident.reports", (ReportIncident,))
