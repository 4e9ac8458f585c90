"""What every part of the workload shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple, Protocol, TypeVar

from schemas.envelope import Input
from tests.simulation.workload.known import Known
from tests.simulation.workload.post import Post
from tests.simulation.world import World

Item = TypeVar("Item")
AMOUNTS = (1, 7, 100, 1_000, 10**18, 2**256 - 1)
USDC = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
DAI = "eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f"

POOL_OF = {"lend": "main", "vault": "main", "bridge": "side", "swap": None}
"""Every product there is, and the pool that sells its cover; cover of one is sold elsewhere."""
PRODUCTS = tuple(POOL_OF)


class Said(NamedTuple):
    """What somebody wants to say, and which principal vouches for it."""

    content: Input
    by: str = "gateway"


class Speaker(Protocol):
    """Somebody outside, or all of a kind."""

    def weight(self) -> float:
        """Say how much there is to do."""

    def act(self) -> Said:
        """Say something."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One source of chance, one way to write, one picture of the world; and the product that most of a run is about."""

    random: Random
    post: Post
    known: Known
    world: World
    favourite: str

    def now(self) -> int:
        """Return what an outsider's watch says: it is right."""
        return self.world.time.now()

    def chance(self, probability: float) -> bool:
        """Toss a coin."""
        return self.random.random() < probability

    def product(self) -> str:
        """Choose a product, mostly the favourite."""
        return self.favourite if self.chance(0.8) else self.one(PRODUCTS)

    def one(self, items: Sequence[Item]) -> Item:
        """Choose."""
        return items[self.random.randrange(len(items))]
