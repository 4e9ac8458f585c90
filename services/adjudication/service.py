"""The declaration of the adjudication service."""

from schemas.adjudication import CASE_ACTIONS, VOTES
from services.adjudication.decider import CaseDecider
from services.adjudication.facts import AdjudicationFacts, audience
from services.adjudication.locks import LocksDecider
from services.adjudication.route import route
from services.kernel.decider import DecisionService

SERVICE = DecisionService(
    name="adjudication",
    inputs=(VOTES, CASE_ACTIONS),
    deciders={"case": CaseDecider(), "locks": LocksDecider()},
    facts=AdjudicationFacts(),
    route=route,
    audience=audience,
)
