"""A space: one deployment, with what every part of it must agree on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
