"""The incidents of one product: which reports are of one event, and what was decided about it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from schemas.adjudication import CaseRuled
from schemas.envelope import Event
from schemas.governance import IncidentFound
from schemas.ids import parent
from schemas.incidents import IncidentAlarmed, IncidentDecided, IncidentOpened, ReportIncident, ReportJoined
from schemas.outcomes import NextStep
from schemas.rulebook import IncidentRules, Outcome
from services.incidents import next_steps, refusals, timeline
from services.incidents.facts import Facts, Product
from services.incidents.timeline import Timeline
from services.kernel.decider import Deadline, Received, Refused
from services.kernel.persistent import PersistentMap

DecidedStatus = Literal["confirmed", "rejected", "drawn"]
_STATUSES: dict[Outcome, DecidedStatus] = {"accept": "confirmed", "deny": "rejected", "draw": "drawn"}


@dataclass(frozen=True, slots=True)
class Incident:
    """One event: when it occurred, what became of it, and what its opening said would come next.

    `rulebook` and `pool` are those the product had at the opening; `alarmed` says that a credible report came.
    """

    occurred_at: int
    status: Literal["open"] | DecidedStatus
    next: NextStep | None
    rulebook: str
    pool: str | None
    alarmed: bool = False


@dataclass(frozen=True, slots=True)
class ProductIncidents:
    """The incidents of a product by number, counted up from 1.

    `reports` says to which incident a report belongs, by its producer and the producer's reference. `joinable` has
    the incidents that further reports can join, by when they occurred: those open or confirmed. No two of them
    occurred at the same instant, because a report of that instant joins the one there is.
    """

    product: str
    incidents: PersistentMap[int, Incident] = field(default_factory=PersistentMap)
    reports: PersistentMap[tuple[str, str], int] = field(default_factory=PersistentMap)
    joinable: Timeline | None = None


class ProductDecider:
    """Decides which incident a report belongs to; rulings come from the incident's case, findings from governance."""

    state = ProductIncidents

    def initial(self, key: str) -> ProductIncidents:
        """Return a product of which nothing was reported."""
        return ProductIncidents(key.partition("/")[2])

    def evolve(self, state: ProductIncidents, event: Event) -> ProductIncidents:
        """Fold one event."""
        match event:
            case IncidentOpened():
                return _opened(state, event)
            case ReportJoined():
                report = (event.producer, event.reference)
                return replace(state, reports=state.reports.set(report, _number(event.incident)))
            case IncidentAlarmed():
                number = _number(event.incident)
                incident = replace(state.incidents[number], alarmed=True)
                return replace(state, incidents=state.incidents.set(number, incident))
            case IncidentDecided():
                return _decided(state, event)
            case _:
                return state

    def decide(self, state: ProductIncidents, facts: Facts, received: Received) -> Sequence[Event]:
        """Decide one report, or take note of a ruling or a finding."""
        match received.content:
            case ReportIncident() as report:
                return _report(state, facts, received, report)
            case CaseRuled() as ruling:
                incident = ruling.case.removeprefix("incident/")
                return _conclude(state, received, incident, _STATUSES[ruling.outcome], by_finding=False)
            case IncidentFound() as found:
                return _conclude(state, received, found.incident, found.finding, by_finding=True)
            case _:
                return ()

    def deadlines(self, state: ProductIncidents, facts: Facts) -> Iterable[Deadline]:
        """List nothing: the windows of an incident are those of its case, and an alarm says itself when it ends."""
        return ()


def _number(incident: str) -> int:
    return int(incident.rpartition("/")[2])


def _opened(state: ProductIncidents, event: IncidentOpened) -> ProductIncidents:
    number = _number(event.incident)
    incident = Incident(event.occurred_at, "open", event.next, event.rulebook, event.pool)
    return replace(
        state,
        incidents=state.incidents.set(number, incident),
        reports=state.reports.set((event.producer, event.reference), number),
        joinable=timeline.put(state.joinable, event.occurred_at, number),
    )


def _decided(state: ProductIncidents, event: IncidentDecided) -> ProductIncidents:
    number = _number(event.incident)
    incident = replace(state.incidents[number], status=event.status)
    stays = event.status == "confirmed"
    return replace(
        state,
        incidents=state.incidents.set(number, incident),
        joinable=state.joinable if stays else timeline.remove(state.joinable, incident.occurred_at),
    )


def _report(state: ProductIncidents, facts: Facts, received: Received, report: ReportIncident) -> Sequence[Event]:
    """Refuse a report, let it join the nearest incident within the window, or open one with it.

    The product's rulebook of now judges the report; the incident it may join keeps its own for everything else.
    """
    refusal = _refuse(state, facts, received, report)
    if refusal is not None:
        return [refusal]
    product = facts.products[state.product]
    rules = facts.rules[product.rulebook]
    number = timeline.nearest(state.joinable, report.occurred_at, rules.join_window)
    if number is None:
        opened = _open(state, received, report, product, rules)
        return [opened, *_alarm(opened.incident, product, rules, received)]
    joined, incident = _join(state, received, report, number), state.incidents[number]
    if incident.status != "open" or incident.alarmed:
        return [joined]
    return [joined, *_alarm(joined.incident, product, facts.rules[incident.rulebook], received)]


def _refuse(state: ProductIncidents, facts: Facts, received: Received, report: ReportIncident) -> Refused | None:
    """Find the first rule a report breaks.

    What only does not exist yet is asked last of what needs no rulebook, so that `unknown` is the only reason.
    """
    known = state.reports.get((received.sender, report.reference))
    if known is not None:
        return refusals.repeated(report, received.sender, f"{state.product}/{known}")
    if report.occurred_at > received.at:
        return refusals.in_future(report, received.at)
    product = facts.products.get(state.product)
    if product is None:
        return refusals.product_unknown(report)
    rules = facts.rules[product.rulebook]
    if received.at - report.occurred_at > rules.report_within:
        return refusals.too_old(report, received.at, rules.report_within)
    return None


def _alarm(incident: str, product: Product, rules: IncidentRules, received: Received) -> Sequence[Event]:
    """Raise the alarm if a report is credible: its producer's weight, alone, reaches the product's level of now."""
    corroboration = rules.corroboration
    if rules.alarm is None or corroboration is None or product.alarm_weight is None:
        return ()
    weight = corroboration.weight(received.sender)
    if weight < product.alarm_weight:
        return ()
    return [
        IncidentAlarmed(
            incident=incident,
            product=parent(incident),
            producer=received.sender,
            weight=weight,
            until=received.since + rules.alarm,
        )
    ]


def _open(
    state: ProductIncidents, received: Received, report: ReportIncident, product: Product, rules: IncidentRules
) -> IncidentOpened:
    incident = f"{state.product}/{len(state.incidents) + 1}"
    return IncidentOpened(
        incident=incident,
        producer=received.sender,
        reference=report.reference,
        occurred_at=report.occurred_at,
        summary=report.summary,
        evidence=report.evidence,
        next=next_steps.after_opening(incident, rules, received.since),
        product=state.product,
        rulebook=product.rulebook,
        pool=product.pool,
    )


def _join(state: ProductIncidents, received: Received, report: ReportIncident, number: int) -> ReportJoined:
    incident, joined = f"{state.product}/{number}", state.incidents[number]
    confirmed = joined.status == "confirmed"
    return ReportJoined(
        incident=incident,
        producer=received.sender,
        reference=report.reference,
        occurred_at=report.occurred_at,
        summary=report.summary,
        evidence=report.evidence,
        next=next_steps.after_joining(incident, joined.next, received.at, confirmed=confirmed),
    )


def _conclude(
    state: ProductIncidents, received: Received, identifier: str, status: DecidedStatus, *, by_finding: bool
) -> Sequence[Event]:
    """Decide an open incident of this product by the first ruling or finding; any other has no effect."""
    if parent(identifier) != state.product:
        return ()
    incident = state.incidents.get(_number(identifier))
    if incident is None or incident.status != "open":
        return ()
    return [
        IncidentDecided(
            incident=identifier,
            product=state.product,
            occurred_at=incident.occurred_at,
            status=status,
            decided_at=received.since,
            pool=incident.pool,
            by_finding=by_finding,
        )
    ]
