"""The declaration of governance."""

from schemas.governance import ACTIONS
from services.governance.decider import ScopeDecider
from services.governance.facts import GovernanceFacts
from services.governance.route import route
from services.kernel.decider import DecisionService

SERVICE = DecisionService(
    name="governance",
    inputs=(ACTIONS,),
    deciders={"scope": ScopeDecider()},
    facts=GovernanceFacts(),
    route=route,
)
