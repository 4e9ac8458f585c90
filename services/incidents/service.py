"""The declaration of incidents."""

from schemas.incidents import REPORTS
from services.incidents.decider import ProductDecider
from services.incidents.facts import IncidentFacts
from services.incidents.route import route
from services.kernel.decider import DecisionService

SERVICE = DecisionService(
    name="incidents",
    inputs=(REPORTS,),
    deciders={"product": ProductDecider()},
    facts=IncidentFacts(),
    route=route,
)
