"""What a space consists of: every decision service, every topic, and the space itself as it is created."""

from typing import Any

from schemas.topics import OWNED, SERVICES, TOPICS
from services.adjudication.service import SERVICE as ADJUDICATION
from services.assessors.service import SERVICE as ASSESSORS
from services.claims.service import SERVICE as CLAIMS
from services.governance.service import SERVICE as GOVERNANCE
from services.incidents.service import SERVICE as INCIDENTS
from services.kernel.decider import DecisionService, Principal
from services.kernel.space import Space
from services.payouts.service import SERVICE as PAYOUTS
from services.pools.service import SERVICE as POOLS

DECISION_SERVICES: tuple[DecisionService[Any], ...] = (
    GOVERNANCE,
    ASSESSORS,
    INCIDENTS,
    CLAIMS,
    ADJUDICATION,
    POOLS,
    PAYOUTS,
)
"""Every decision service, in the order of the catalogue."""
assert tuple(service.name for service in DECISION_SERVICES) == SERVICES
RELAY, VIEWS, PORTAL = "relay", "views", "portal"
"""What a space consists of besides: who publishes for outsiders, keeps the read model, and serves it."""
TOPIC_NAMES: tuple[str, ...] = tuple(topic.name for topic in TOPICS)
"""Every topic of a space."""


def new_space(name: str, partitions: int, root_key: str | None = None) -> Space:
    """Describe a space as it is created: owned streams as in the catalogue, the root's key where there is one."""
    everything = frozenset(("*",))
    principals = {"root": Principal("root", root_key, everything, everything)} if root_key else {}
    return Space(name, partitions, OWNED, principals)
