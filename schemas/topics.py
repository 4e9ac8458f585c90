"""The topic catalogue: every topic of a space, who decides it, and who may write it.

Names here are without the space's prefix; stores add it. Every topic of a space has the same number of partitions.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from . import adjudication, assessors, claims, governance, incidents, payouts, pools
from .envelope import InputTopic

SERVICES = ("governance", "assessors", "incidents", "claims", "adjudication", "pools", "payouts")
"""The decision services."""
INPUTS: tuple[InputTopic, ...] = (
    governance.ACTIONS,
    assessors.ACTIONS,
    incidents.REPORTS,
    claims.REGISTRATIONS,
    claims.FILINGS,
    adjudication.VOTES,
    adjudication.CASE_ACTIONS,
    pools.REQUESTS,
    pools.MOVEMENTS,
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


TELLS: dict[str, tuple[str, ...]] = {
    "governance": ("assessors", "incidents", "claims", "adjudication", "pools", "payouts"),
    "assessors": ("adjudication", "payouts"),
    "incidents": ("claims", "adjudication", "pools"),
    "claims": ("assessors", "adjudication", "pools", "payouts"),
    "adjudication": ("assessors", "incidents", "claims"),
    "pools": ("assessors", "claims", "payouts"),
    "payouts": ("assessors", "claims", "pools"),
}
"""Whose inboxes each service writes, besides its own: what its `route` may name, and no more than it has a right to."""

_KEPT: dict[str, str] = {
    # For ever: every decision is decided again from these records.
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    # The broker's clock is everybody's: a sender cannot choose when it was in time.
    "message.timestamp.type": "LogAppendTime",
    # Of a record with the largest message and its headers, and of our batches.
    "max.message.bytes": "1200000",
    # A sender may compress; what is stored can be read without any of the codecs.
    "compression.type": "uncompressed",
    # A replica that lacks records never leads: an acknowledged input stays.
    "unclean.leader.election.enable": "false",
}
SETTINGS: dict[str, Mapping[str, str]] = dict.fromkeys(("input", "inbox", "log", "output"), _KEPT)
"""What topics of each kind are set to on Kafka, besides `min.insync.replicas`."""


def settings(kind: str, replication: int) -> dict[str, str]:
    """Return the settings of a topic of that kind and so many copies: a write is acknowledged when two have it."""
    return {**SETTINGS[kind], "min.insync.replicas": str(min(2, replication))}


def stream(name: str) -> InputTopic:
    """Return the public stream of that name; raises KeyError."""
    return {topic.name: topic for topic in INPUTS}[name]
