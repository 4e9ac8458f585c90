"""Governance: sets the stage, then changes what can be changed, tries what cannot."""

from collections.abc import Callable

from schemas.governance import (
    ListProduct,
    OpenPool,
    PublishRulebook,
    RegisterPrincipal,
    RevokePrincipal,
    SetGroup,
    SetStakeTerms,
)
from schemas.instants import DAY, SECOND
from schemas.pools import PoolTerms
from schemas.rulebook import PayoutTerms, Rulebook
from tests.simulation.workload.post import GUARDIANS, HOLDERS, principals, public_key
from tests.simulation.workload.rules import rulebook
from tests.simulation.workload.scene import DAI, POOL_OF, PRODUCTS, USDC, Said, Scene

_DEPENDENCIES = {"lend": ("oracle",), "vault": ("oracle", "chain"), "bridge": ("chain", "chain"), "swap": ("lend",)}


class Governors:
    """Speaks as root."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._published: dict[str, Rulebook] = {}
        self._stake_terms = self._terms_of_stake()
        self._dependencies = {product: names if scene.chance(0.7) else () for product, names in _DEPENDENCIES.items()}

    def beginnings(self) -> list[Said]:
        """Say everything that the rest rests on."""
        scene = self.scene
        rulebooks = [self._next("alpha"), self._next("beta")]
        if scene.chance(0.5):
            rulebooks.append(self._next("alpha"))
        fit = [each.rulebook for each in rulebooks if each.rulebook.claim.settlement is not None]
        products = [
            self._product(
                product, scene.one(fit if POOL_OF[product] and fit else [each.rulebook for each in rulebooks])
            )
            for product in PRODUCTS
        ]
        group = SetGroup(scope="main", group="guardians", members=GUARDIANS)
        pools = [self._pool(pool) for pool in ("main", "side")]
        said = (*principals(), *rulebooks, self._stake_terms, group, *pools, *products)
        return [Said(content) for content in said] + [Said(RevokePrincipal(scope="main", principal="former"))]

    def weight(self) -> float:
        """Say how much there is to do."""
        return 0.8

    def act(self) -> Said:
        """Do one of the things that governance may do, or may not."""
        acts: tuple[Callable[[], Said], ...] = (
            self._publish,
            self._list,
            self._list,
            self._principal,
            self._pool_again,
            self._stake_terms_again,
            self._group,
        )
        return self.scene.one(acts)()

    def _next(self, name: str) -> PublishRulebook:
        version = 1 + sum(published.name == name for published in self._published.values())
        drawn = rulebook(self.scene.random, name, version)
        self._published[drawn.id] = drawn
        return PublishRulebook(scope="main", rulebook=drawn)

    def _publish(self) -> Said:
        scene = self.scene
        match scene.random.randrange(5):
            case 0:
                gap = rulebook(scene.random, scene.one(("alpha", "beta", "gamma")), 99)
                return Said(PublishRulebook(scope="main", rulebook=gap))
            case 1:
                again = scene.one(list(self._published.values()))
                return Said(PublishRulebook(scope="main", rulebook=again))
            case 2:
                held = scene.one(list(self._published.values()))
                changed = rulebook(scene.random, held.name, held.version)
                return Said(PublishRulebook(scope="main", rulebook=changed))
            case _:
                return Said(self._next(scene.one(("alpha", "beta"))))

    def _product(self, product: str, rules: Rulebook, *, asset: str = USDC, peril: str = "exploit") -> ListProduct:
        return ListProduct(
            scope="main",
            product=product,
            title=f"Product {product}",
            peril=peril,
            asset=asset,
            rulebook=rules.id,
            pool=POOL_OF[product],
            dependencies=self._dependencies[product],
            alarm_weight=self.scene.one((None, 1, 1, 2, 3)) if rules.incident.alarm is not None else None,
        )

    def _list(self) -> Said:
        scene = self.scene
        product = scene.one(PRODUCTS)
        listed = self._product(product, scene.one(list(self._published.values())))
        before = scene.known.products.get(product)
        changes: tuple[dict[str, object], ...] = (
            {},
            {},
            {},
            {"asset": DAI},
            {"peril": "depeg"},
            {"rulebook": "nothing@1"},
            {"alarm_weight": 2},
            {"dependencies": ("oracle", "sequencer")},
            {"pool": scene.one(("main", "side", "nothing", None))},
            {"product": "nowhere", "pool": scene.one(("main", "nothing")), "asset": scene.one((USDC, DAI))},
        )
        if before is not None and scene.chance(0.1):
            return Said(ListProduct.model_validate_json(before.model_dump_json(exclude={"rulebook_sha256", "next"})))
        return Said(listed.model_copy(update=scene.one(changes)))

    def _pool(self, pool: str) -> OpenPool:
        scene = self.scene
        floor = scene.one((0, 200, 500))
        terms = PoolTerms(
            capacity_bps=scene.one((10_000, 20_000, 50_000, 100_000)),
            product_bps=scene.one((10_000, 10_000, 5_000)),
            dependency_bps=scene.one((10_000, 10_000, 6_000)),
            floor_rate_bps=floor,
            ceiling_rate_bps=scene.one((500, 1_000, 10_000)),
            reserve_bps=scene.one((0, 1_000, 10_000)),
            junior_bps=scene.one((0, 5_000, 7_000, 10_000)),
            period_min=scene.one((SECOND, 20 * SECOND)),
            period_max=scene.one((DAY, 60 * DAY)),
            notice=scene.one((0, 0, 10 * SECOND, 60 * SECOND)),
            payout=_payout_terms(scene),
        )
        title = f"Pool {pool} {scene.random.randrange(1000)}"
        return OpenPool(scope="main", pool=pool, title=title, asset=USDC, terms=terms)

    def _pool_again(self) -> Said:
        """Change what a pool sells, or try what may not be."""
        scene = self.scene
        opened = self._pool(scene.one(("main", "main", "side")))
        terms = opened.terms.model_copy(
            update=scene.one(({}, {}, {"floor_rate_bps": 900, "ceiling_rate_bps": 800}, {"period_min": 90 * DAY}))
        )
        known = scene.known.pools.get(opened.pool)
        if known is not None and scene.chance(0.5):
            return Said(opened.model_copy(update={"terms": known.terms, "title": scene.one(("Same", "Same", "Other"))}))
        return Said(opened.model_copy(update={"terms": terms, "asset": DAI if scene.chance(0.1) else USDC}))

    def _terms_of_stake(self) -> SetStakeTerms:
        scene = self.scene
        return SetStakeTerms(
            scope="main",
            asset=USDC,
            stake_min_minor=scene.one((0, 1, 1, 2, 3)),
            notice=scene.one((0, 0, 5 * SECOND, 60 * SECOND)),
            payout=_payout_terms(scene),
        )

    def _stake_terms_again(self) -> Said:
        scene = self.scene
        if scene.chance(0.3):
            return Said(self._stake_terms)
        changed = self._terms_of_stake()
        if scene.chance(0.3):
            return Said(changed.model_copy(update={"asset": DAI}))
        self._stake_terms = changed
        return Said(changed)

    def _group(self) -> Said:
        scene = self.scene
        members = scene.one((GUARDIANS, GUARDIANS, GUARDIANS[:1], (), (*GUARDIANS, "nobody"), ("bot-1", *GUARDIANS)))
        return Said(SetGroup(scope="main", group="guardians", members=members))

    def _principal(self) -> Said:
        scene = self.scene
        registered = scene.one(principals())
        match scene.random.randrange(6):
            case 0:
                return Said(RevokePrincipal(scope="main", principal=scene.one(("former", "nobody", "root"))))
            case 1:
                return Said(registered.model_copy(update={"principal": "treasury"}))
            case 2:
                return Said(registered.model_copy(update={"streams": ("no.such.stream",)}))
            case 3:
                key = public_key("other")
                odd = RegisterPrincipal(
                    scope="main", principal="wallet", public_key=key, streams=("*",), accounts=(HOLDERS[1],)
                )
                return Said(odd)
            case _:
                return Said(registered)


def _payout_terms(scene: Scene) -> PayoutTerms:
    return PayoutTerms(
        first_retry=scene.one((0, 5 * SECOND)),
        multiplier=scene.one((1, 2)),
        longest_retry=30 * SECOND,
        attempts_max=scene.one((1, 2, 3)),
        receipt_within=scene.one((5 * SECOND, 30 * SECOND, 120 * SECOND)),
    )
