"""A space: one deployment, with what every part of it must agree on."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from .decider import Principal

INPUT_BYTES_MAX = 256_000
"""A larger public record is set aside: so no admissible input can make an event above RECORD_BYTES_MAX."""
RECORD_BYTES_MAX = 1_000_000
DUPLICATE_WINDOW = 7 * 86_400_000
"""How long an id is remembered, in milliseconds of `at` (product.md section 8)."""


@dataclass(frozen=True, slots=True)
class Space:
    """What all services of a deployment share.

    `owned` names the streams that one known principal writes alone, and which; `principals` are the keys that stand
    in the configuration, the root's first of all. `skew` is by how much clocks may differ, `late` from which delay a
    closing carries the time of firing less the skew; both in milliseconds.
    """

    name: str
    partitions: int
    owned: Mapping[str, str] = field(default_factory=dict)
    principals: Mapping[str, Principal] = field(default_factory=dict)
    skew: int = 2_000
    late: int = 60_000


def space_json(space: Space) -> dict[str, Any]:
    """Spell a space's configuration."""
    return {
        "name": space.name,
        "partitions": space.partitions,
        "owned": dict(space.owned),
        "principals": [
            {
                "id": principal.id,
                "public_key": principal.public_key,
                "streams": sorted(principal.streams),
                "accounts": sorted(principal.accounts),
            }
            for principal in space.principals.values()
        ],
        "skew_ms": space.skew,
        "late_ms": space.late,
    }


def space_of(spelled: dict[str, Any]) -> Space:
    """Read what `space_json` spelled; raises KeyError, TypeError or ValueError."""
    principals = [
        Principal(entry["id"], entry["public_key"], frozenset(entry["streams"]), frozenset(entry["accounts"]))
        for entry in spelled["principals"]
    ]
    return Space(
        spelled["name"],
        int(spelled["partitions"]),
        dict(spelled["owned"]),
        {principal.id: principal for principal in principals},
        int(spelled["skew_ms"]),
        int(spelled["late_ms"]),
    )


def space_sha256(space: Space) -> str:
    """Hash a configuration: what every decision of the space rests on besides code and inputs."""
    return hashlib.sha256(orjson.dumps(space_json(space), option=orjson.OPT_SORT_KEYS)).hexdigest()
