"""Who learns of a ruling: the service that opened the case."""

from collections.abc import Sequence

from schemas.adjudication import CaseRuled
from schemas.ids import cover_key, parent, product_key
from services.kernel.decider import Decided, Send


def route(decided: Decided) -> Sequence[Send]:
    """Send a ruling to the aggregate that holds the incident or the claim."""
    if not isinstance(decided.event, CaseRuled):
        return ()
    ruling = decided.event
    identifier = ruling.case.partition("/")[2]
    if ruling.subject == "incident":
        return (Send("incidents", product_key(parent(identifier)), ruling),)
    return (Send("claims", cover_key(parent(identifier)), ruling),)
