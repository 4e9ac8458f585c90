"""The topic catalogue: every topic of a space, who decides it, and who may write it.

Names here are without the space's prefix; stores add it. Every topic of a space has the same number of partitions.
"""

from typing import Literal, NamedTuple

from . import adjudication, claims, governance, incidents, payouts
from .envelope import InputTopic

SERVICES = ("governance", "incidents", "claims", "adjudication", "payouts")
"""The decision services."""
INPUTS: tuple[InputTopic, ...] = (
    governance.ACTIONS,
    incidents.REPORTS,
    claims.REGISTRATIONS,
    claims.FILINGS,
    adjudication.VOTES,
    payouts.RECEIPTS,
)
"""Every public stream."""
OWNED: dict[str, str] = {
    "governance.actions": "root",
    "cover.registrations": "registrar",
    "payout.receipts": "treasury",
}
"""Streams that only one known principal may write (by ACL), and which: their inputs need no proof."""
OUTCOMES = "input.outcomes"
INSTRUCTIONS = "payout.instructions"


class Topic(NamedTuple):
    """One topic: `kind` says who writes and reads it."""

    name: str
    kind: Literal["input", "inbox", "log", "output"]


TOPICS: tuple[Topic, ...] = (
    *(Topic(stream.name, "input") for stream in INPUTS),
    *(Topic(f"{service}.inbox", "inbox") for service in SERVICES),
    *(Topic(f"{service}.events", "log") for service in SERVICES),
    Topic(OUTCOMES, "output"),
    Topic(INSTRUCTIONS, "output"),
)
"""Every topic."""


def stream(name: str) -> InputTopic:
    """Return the public stream of that name; raises KeyError."""
    return {topic.name: topic for topic in INPUTS}[name]
