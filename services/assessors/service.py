"""The declaration of assessors."""

from schemas.assessors import ACTIONS
from services.assessors.decider import AssessorDecider
from services.assessors.facts import AssessorsFacts
from services.assessors.route import route
from services.kernel.decider import DecisionService

SERVICE = DecisionService(
    name="assessors",
    inputs=(ACTIONS,),
    deciders={"assessor": AssessorDecider()},
    facts=AssessorsFacts(),
    route=route,
)
