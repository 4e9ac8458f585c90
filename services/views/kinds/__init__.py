"""Every kind of row, one module for each log."""

from typing import Any

from services.views.kind import Kind

from . import adjudication, assessors, claims, governance, incidents, inputs, payouts, pools

KINDS: tuple[Kind[Any], ...] = (
    *incidents.KINDS,
    *claims.KINDS,
    *adjudication.KINDS,
    *payouts.KINDS,
    *pools.KINDS,
    *assessors.KINDS,
    *governance.KINDS,
    *inputs.KINDS,
)
"""Every kind, in the order in which the API's documentation shows them."""
BY_NAME: dict[str, Kind[Any]] = {kind.name: kind for kind in KINDS}
assert len(BY_NAME) == len(KINDS)
