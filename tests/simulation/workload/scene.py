"""What every part of the workload shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple, TypeVar

from schemas.envelope import Input
from tests.simulation.workload.known import Known
from tests.simulation.workload.post import Post
from tests.simulation.world import World

Item = TypeVar("Item")
AMOUNTS = (1, 7, 100, 1_000, 10**18, 2**256 - 1)
USDC = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
DAI = "eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f"


class Said(NamedTuple):
    """What somebody wants to say, and which principal vouches for it."""

    content: Input
    by: str = "gateway"


@dataclass(frozen=True, slots=True)
class Scene:
    """One source of chance, one way to write, one picture of the world."""

    random: Random
    post: Post
    known: Known
    world: World

    def now(self) -> int:
        """Return what an outsider's watch says: it is right."""
        return self.world.time.now()

    def chance(self, probability: float) -> bool:
        """Toss a coin."""
        return self.random.random() < probability

    def one(self, items: Sequence[Item]) -> Item:
        """Choose."""
        return items[self.random.randrange(len(items))]
