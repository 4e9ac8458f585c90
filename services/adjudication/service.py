"""The declaration of the adjudication service."""

from schemas.adjudication import VOTES
from services.adjudication.decider import CaseDecider
from services.adjudication.facts import AdjudicationFacts
from services.adjudication.route import route
from services.kernel.decider import DecisionService

SERVICE = DecisionService(
    name="adjudication",
    inputs=(VOTES,),
    deciders={"case": CaseDecider()},
    facts=AdjudicationFacts(),
    route=route,
)
