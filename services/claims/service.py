"""The declaration of claims."""

from schemas.claims import FILINGS, REGISTRATIONS
from services.claims.decider import CoverDecider
from services.claims.facts import ClaimsFacts
from services.claims.route import route
from services.kernel.decider import DecisionService

SERVICE = DecisionService(
    name="claims",
    inputs=(REGISTRATIONS, FILINGS),
    deciders={"cover": CoverDecider()},
    facts=ClaimsFacts(),
    route=route,
)
