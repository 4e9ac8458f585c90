"""Those who provide a pool's capital, and those who buy the cover it carries."""

from collections.abc import Callable
from typing import Any

from schemas.instants import DAY, SECOND
from schemas.pools import DepositCapital, RequestCapitalWithdrawal, RequestCover, WithdrawCapital
from tests.simulation.workload.known import Shares
from tests.simulation.workload.post import HOLDERS, PROVIDERS
from tests.simulation.workload.scene import POOL_OF, PRODUCTS, Said, Scene

_MOST = 2**128 - 1
POOLS = ("main", "main", "main", "side")


class Providers:
    """Puts capital in, asks for it back, takes it out."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._transfers = 0
        self._scale = scene.one((10, 1_000, 1_000, 10**18))

    def beginnings(self) -> list[Said]:
        """Make the first deposits."""
        count = self.scene.random.randint(2, 5)
        return [
            Said(self._deposit(self.scene.one(POOLS), self.scene.random.randint(1, self._scale))) for _ in range(count)
        ]

    def weight(self) -> float:
        """Say how much there is to do: more when capital can leave."""
        now, shares = self.scene.now(), self.scene.known.shares.values()
        wiped_out = any(pool.deferred_minor and not pool.capital_minor for pool in self.scene.known.pools.values())
        return (
            0.6
            + 3.0 * wiped_out
            + 0.7 * sum(held.available_at is not None and held.available_at <= now for held in shares)
        )

    def act(self) -> Said:
        """Move capital."""
        acts: tuple[Callable[[], Said], ...] = (self._add, self._add, self._ask, self._ask, self._leave, self._leave)
        return self.scene.one(acts)()

    def _deposit(self, pool: str, amount: int) -> DepositCapital:
        self._transfers += 1
        return DepositCapital.model_validate(
            {
                "pool": pool,
                "provider": self.scene.one(PROVIDERS),
                "tranche": self.scene.one(("junior", "junior", "senior")),
                "amount_minor": amount,
                "transaction": f"capital-{self._transfers}",
            }
        )

    def _add(self) -> Said:
        scene = self.scene
        amount = scene.one((1, 7, self._scale // 3, self._scale, scene.random.randint(1, self._scale)))
        pools = scene.known.pools
        bare = [name for name, pool in sorted(pools.items()) if pool.deferred_minor and not pool.capital_minor]
        if bare and scene.chance(0.8):
            deposit = self._deposit(bare[0], min(_MOST, pools[bare[0]].sold_minor))
        else:
            pool = "nothing" if scene.chance(0.05) else scene.one(POOLS)
            deposit = self._deposit(pool, _MOST if scene.chance(0.01) else amount)
        if scene.chance(0.15):
            transaction = f"capital-{scene.random.randint(1, self._transfers)}"
            deposit = deposit.model_copy(update={"transaction": transaction})
        return Said(deposit)

    def _whose(self, names: list[tuple[str, str, str]]) -> dict[str, Any]:
        scene = self.scene
        if not names or scene.chance(0.1):
            names = [(scene.one(POOLS), scene.one(PROVIDERS), scene.one(("junior", "senior")))]
        return dict(zip(("pool", "provider", "tranche"), scene.one(names), strict=True))

    def _ask(self) -> Said:
        scene, shares = self.scene, self.scene.known.shares
        chosen = self._whose(
            [name for name in sorted(shares) if shares[name].available_at is None or scene.chance(0.1)]
        )
        held = shares.get((chosen["pool"], chosen["provider"], chosen["tranche"]), Shares()).held_minor
        amount = scene.one((held, held // 2, held // 10, 1, held + 1))
        return Said(RequestCapitalWithdrawal(**chosen, shares_minor=min(max(1, amount), _MOST)))

    def _leave(self) -> Said:
        now, shares = self.scene.now(), self.scene.known.shares
        asked = {name: at for name, held in sorted(shares.items()) if (at := held.available_at) is not None}
        due = [name for name, at in asked.items() if at <= now]
        return Said(WithdrawCapital(**self._whose(due or list(asked))))


class Buyers:
    """Asks for cover, mostly as much as fits or a good part of it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._requests = 0

    def beginnings(self) -> list[Said]:
        """Ask for the first covers; what can be sold is not known yet."""
        return [self.act() for _ in range(self.scene.random.randint(1, 4))]

    def weight(self) -> float:
        """Say how much there is to do."""
        sold = sum(cover.pool is not None for cover in self.scene.known.covers.values())
        in_debt = any(pool.deferred_minor and pool.capital_minor for pool in self.scene.known.pools.values())
        return 3.0 if sold < 4 or in_debt else 0.8

    def act(self) -> Said:
        """Ask for cover."""
        scene = self.scene
        self._requests += 1
        pools = scene.known.pools
        indebted = [name for name, pool in POOL_OF.items() if pool in pools and pools[pool].deferred_minor]
        product = scene.one(indebted) if indebted and scene.chance(0.7) else scene.product()
        request = RequestCover(
            pool=POOL_OF[product] or "main",
            product=product,
            holder=scene.one(HOLDERS),
            amount_minor=self._amount(POOL_OF[product] or "main"),
            period=scene.one((20 * SECOND, 60 * SECOND, 600 * SECOND, DAY, DAY, 30 * DAY)),
            premium_max_minor=_MOST,
            transaction=f"premium-{self._requests}",
        )
        changes: tuple[dict[str, Any], ...] = (
            *({},) * 12,
            {"transaction": f"premium-{scene.random.randint(1, self._requests)}"},
            {"premium_max_minor": scene.one((0, 1))},
            {"period": scene.one((0, SECOND // 2, 400 * DAY))},
            {"product": scene.one(("nothing", *PRODUCTS))},
            {"pool": scene.one(("nothing", "main", "side"))},
        )
        return Said(request.model_copy(update=scene.one(changes)))

    def _amount(self, name: str) -> int:
        scene, pool = self.scene, self.scene.known.pools.get(name)
        if pool is None:
            return scene.one((1, 7, 100))
        capacity = pool.capital_minor * pool.terms.capacity_bps // 10_000
        free = max(1, capacity - pool.sold_minor)
        return (
            min(_MOST, scene.one((free, free // 2, free // 2, free // 2, free // 3, capacity // 3, 1, capacity + 1)))
            or 1
        )
