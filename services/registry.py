"""What a space consists of: every decision service, every topic, and the space itself as it is created."""

from functools import cache
from importlib import import_module
from typing import Any

from schemas.topics import OWNED, SERVICES, TOPICS
from services.kernel.decider import DecisionService, Principal
from services.kernel.space import Space

RELAY, VIEWS, PORTAL = "relay", "views", "portal"
"""What a space consists of besides decision services: who publishes for outsiders, keeps the read model, serves it."""
WRITERS = (*SERVICES, RELAY)
"""Every service that writes to the cluster."""
RUNNABLE = (*WRITERS, VIEWS)
"""Every service that is given partitions; the portal is not."""
TOPIC_NAMES: tuple[str, ...] = tuple(topic.name for topic in TOPICS)
"""Every topic of a space."""
LOGS: tuple[str, ...] = tuple(topic.name for topic in TOPICS if topic.kind == "log")
"""The log of every decision service, in the order of the catalogue."""


@cache
def decision_service(name: str) -> DecisionService[Any]:
    """Return a decision service of the catalogue, loading no other: a process that runs one starts sooner."""
    found: DecisionService[Any] = import_module(f"services.{name}.service").SERVICE
    return found


def decision_services() -> tuple[DecisionService[Any], ...]:
    """Return every decision service, in the order of the catalogue."""
    return tuple(map(decision_service, SERVICES))


def new_space(name: str, partitions: int, root_key: str | None = None) -> Space:
    """Describe a space as it is created: owned streams as in the catalogue, the root's key where there is one."""
    everything = frozenset(("*",))
    principals = {"root": Principal("root", root_key, everything, everything)} if root_key else {}
    return Space(name, partitions, OWNED, principals)
