"""What goes wrong, and how often: every seed has its own mixture."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from random import Random
from typing import Self, TypeVar

from services.kernel.engine import Limits

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class Rates:
    """How likely each fault is at each opportunity; 0 for what does not happen under a seed.

    At a store call, before or after it took effect: `pause` (others go first), `stall` (for seconds), `crash` (the
    process is gone), `failure` (the call raises, the process goes on). At an append: `cut` (only the first few of
    several records are written). At a commit: `unknown` (nobody tells whether it happened), `too_large`, `hold`
    (invisible in one of the partitions it wrote to). Between steps: `rival` (a second owner, the first goes on),
    `takeover` (the same, after the first stood still), `snapshot`, `damage` (to a snapshot), `outage` (processes stand
    still for long, or die), `wander` (a clock jumps), `release` (what was held becomes visible).
    """

    pause: float = 0.0
    crash: float = 0.0
    failure: float = 0.0
    cut: float = 0.0
    unknown: float = 0.0
    too_large: float = 0.0
    hold: float = 0.0
    rival: float = 0.0
    takeover: float = 0.0
    snapshot: float = 0.0
    damage: float = 0.0
    stall: float = 0.0
    outage: float = 0.0
    wander: float = 0.0
    release: float = 0.0

    @classmethod
    def drawn(cls, random: Random) -> Self:
        """Draw a mixture: each fault is there in two seeds of three, in a strength of its own."""
        most = {
            "pause": 0.7,
            "crash": 0.02,
            "failure": 0.02,
            "cut": 0.2,
            "unknown": 0.15,
            "too_large": 0.1,
            "hold": 0.4,
            "rival": 0.004,
            "takeover": 0.8,
            "snapshot": 0.03,
            "damage": 0.3,
            "stall": 0.3,
            "outage": 0.006,
            "wander": 0.05,
        }
        assert most.keys() | {"release"} == {field.name for field in fields(cls)}
        rates = {name: limit * random.random() ** 2 if random.random() < 2 / 3 else 0.0 for name, limit in most.items()}
        if random.random() < 0.25:
            # Too rare when left to chance: owners that come back, or are replaced, when something is just late.
            rates |= {"outage": 0.02, "takeover": 0.8, "wander": 0.05}
        return cls(release=0.02 + 0.1 * random.random(), **rates)


class Faults:
    """Decides, at every opportunity, whether something goes wrong; counts what did, and tells `tell` of it."""

    def __init__(self, random: Random, rates: Rates) -> None:
        self.random = random
        self.rates = rates
        self.happened: Counter[str] = Counter()
        self.tell: Callable[[str, str], None] | None = None

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self.rates = Rates()

    def strikes(self, fault: str, what: str = "") -> bool:
        """Tell whether a fault happens now; `what` says more, for the count."""
        rate = getattr(self.rates, fault)
        if not rate or self.random.random() >= rate:
            return False
        self.note(f"{fault} {what}".strip())
        return True

    def note(self, what: str) -> None:
        """Count something that went wrong, and tell whoever wants to know."""
        self.happened[what] += 1
        if self.tell is not None and what != "pause":
            self.tell("fault", what)

    def pick(self, choices: Sequence[Choice]) -> Choice:
        """Choose one of several ways in which something goes wrong."""
        return choices[self.random.randrange(len(choices))]

    def limits(self) -> Limits:
        """Draw the limits of a process's batches: mostly small, so that batches are cut everywhere."""
        draw = self.random.choice
        return Limits(
            inputs_max=draw((1, 2, 3, 7, 500)),
            records_max=draw((1, 4, 12, 4_000)),
            bytes_max=draw((1, 3_000, 20_000, 8_000_000)),
            fetch_max=draw((2, 3, 5, 20, 1_000)),
        )
