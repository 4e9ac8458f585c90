"""The lock: the contract as it was promised, and what a change of it would break.

A message is firm once the version that it came with is released. What is firm only grows: senders may be taken more
widely, and what services write never changes. Until then the lock may be taken anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from schemas.envelope import upcasts
from schemas.topics import INPUTS
from tools.schemas import catalogue
from tools.schemas.compare import breaks
from tools.schemas.models import Schema, resolved, schema_of

Lock = dict[str, Any]
EMPTY: Lock = {"releases": [], "streams": {}, "messages": {}}


class Contract(NamedTuple):
    """What the code promises today: messages with their roles and schemas, streams with their types, old names."""

    messages: Mapping[str, tuple[str, Schema]]
    streams: Mapping[str, list[str]]
    upcast: frozenset[str]


def today() -> Contract:
    """Read the contract off the code."""
    drawn = {
        wire: (catalogue.role(model), schema_of(model, written=catalogue.is_written(model)))
        for wire, model in catalogue.messages().items()
    }
    streams = {stream.name: [model.wire for model in stream.types] for stream in INPUTS}
    return Contract(drawn, streams, frozenset(upcasts()))


def is_firm(lock: Lock, wire: str) -> bool:
    """Whether a message was released."""
    held = lock["messages"].get(wire)
    return held is not None and held["since"] in lock["releases"]


class Finding(NamedTuple):
    """What is wrong with a message or stream, and what to do; `firm`: it breaks what was released."""

    place: str
    what: str
    todo: str
    firm: bool

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.place}: {self.what}. {self.todo}"


_NEW_VERSION = "It is released: put a new version beside it, with an upcast from it (docs/schemas.md)"
_LOCK = "`python -m tools.schemas --lock` takes today's contract"


def findings(lock: Lock, contract: Contract) -> list[Finding]:
    """Say what readers, senders and stored records would be broken by, and what the lock lacks."""

    def found(place: str, wire: str, what: str) -> Finding:
        firm = is_firm(lock, wire)
        return Finding(place, what, _NEW_VERSION if firm else f"It was never released: {_LOCK}", firm)

    listed = []
    for wire, held in lock["messages"].items():
        if wire in contract.messages:
            _, schema = contract.messages[wire]
            broken = breaks(held["schema"], schema, written=held["role"] != "input")
            listed += [found(wire, wire, what) for what in broken]
        elif wire not in contract.upcast:
            listed.append(found(wire, wire, "nothing reads it any more"))
    for stream, types in lock["streams"].items():
        gone = [wire for wire in types if wire not in contract.streams.get(stream, ())]
        listed += [found(stream, wire, f"{wire} is no longer taken") for wire in gone]
    missing = [wire for wire in contract.messages if wire not in lock["messages"]]
    return listed + [Finding(wire, "it is new, and not in the lock", _LOCK, firm=False) for wire in missing]


def taken(lock: Lock, contract: Contract, version: str) -> Lock:
    """Return the lock with today's contract; what was never released may go without a trace."""
    held = {wire: entry for wire, entry in lock["messages"].items() if is_firm(lock, wire) or wire in contract.upcast}
    for wire, (role, schema) in contract.messages.items():
        since = lock["messages"].get(wire, {}).get("since", version)
        held[wire] = {"since": since, "role": role, "schema": resolved(schema)}
    streams = {name: list(types) for name, types in sorted(contract.streams.items())}
    return {"releases": list(lock["releases"]), "streams": streams, "messages": dict(sorted(held.items()))}


def released(lock: Lock, version: str) -> Lock:
    """Return the lock with that version released: from now on what came with it only grows."""
    return lock | {"releases": sorted({*lock["releases"], version})}
