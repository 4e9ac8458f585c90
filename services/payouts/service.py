"""The declaration of payouts."""

from schemas.payouts import RECEIPTS
from services.kernel.decider import DecisionService
from services.payouts.decider import PayoutDecider
from services.payouts.facts import PayoutsFacts
from services.payouts.route import route

SERVICE = DecisionService(
    name="payouts",
    inputs=(RECEIPTS,),
    deciders={"payout": PayoutDecider()},
    facts=PayoutsFacts(),
    route=route,
)
