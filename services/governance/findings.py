"""Findings: governance decides an incident that nobody else has decided yet."""

from schemas.envelope import Event
from schemas.governance import FindIncident, IncidentFound
from schemas.ids import parent
from schemas.outcomes import NextStep
from services.governance.offers import Product
from services.kernel.decider import Refused
from services.kernel.persistent import PersistentMap

Finding = tuple[str, str]
"""What was found, and why."""


def find(products: PersistentMap[str, Product], findings: PersistentMap[str, Finding], action: FindIncident) -> Event:
    """Find on an incident of a listed product; whether it exists and is open, only incidents knows.

    So a finding may be given again, with another reason: the first may have come before the incident.
    """
    product = parent(action.incident)
    if findings.get(action.incident) == (action.finding, action.reason):
        return Refused(
            rule="finding.unchanged",
            value=f"{action.finding} for incident {action.incident}, for the same reason",
            accepted="another finding or another reason; only the first on an open incident decides it",
        )
    if product not in products:
        return Refused(
            rule="finding.product-unknown",
            value=f"incident {action.incident} of product {product}",
            accepted="an incident of a product that governance listed",
            unknown=True,
        )
    return IncidentFound(
        incident=action.incident,
        finding=action.finding,
        reason=action.reason,
        next=NextStep(step=f"incident {action.incident} is {action.finding}, if it is still open"),
    )
