"""The declaration of pools."""

from schemas.pools import MOVEMENTS, REQUESTS
from services.kernel.decider import DecisionService
from services.pools.decider import PoolDecider
from services.pools.facts import PoolsFacts, audience
from services.pools.route import route

SERVICE = DecisionService(
    name="pools",
    inputs=(REQUESTS, MOVEMENTS),
    deciders={"pool": PoolDecider()},
    facts=PoolsFacts(),
    route=route,
    audience=audience,
)
