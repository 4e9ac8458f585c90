"""Governance: sets the stage, then changes what can be changed, tries what cannot."""

from collections.abc import Callable

from schemas.governance import (
    ListProduct,
    ProfileAssessor,
    PublishRulebook,
    RegisterPrincipal,
    RevokePrincipal,
)
from schemas.rulebook import Rulebook
from tests.simulation.workload.post import ASSESSORS, HOLDERS, principals, public_key
from tests.simulation.workload.rules import rulebook
from tests.simulation.workload.scene import DAI, USDC, Said, Scene

PRODUCTS = ("lend", "swap", "vault")
_STAKES = (0, 1, 2, 2, 3, 5, 100, 10**18)


class Governors:
    """Speaks as root."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._published: dict[str, Rulebook] = {}

    def beginnings(self) -> list[Said]:
        """Say everything that the rest rests on."""
        scene = self.scene
        rulebooks = [self._next("alpha"), self._next("beta")]
        if scene.chance(0.5):
            rulebooks.append(self._next("alpha"))
        assessors = [self._profile(account) for account in ASSESSORS if scene.chance(0.8)]
        products = [self._product(product, scene.one(rulebooks).rulebook.id) for product in PRODUCTS]
        return [Said(content) for content in (*principals(), *rulebooks, *products, *assessors)] + [
            Said(RevokePrincipal(scope="main", principal="former"))
        ]

    def weight(self) -> float:
        """Say how much there is to do."""
        return 1.0

    def act(self) -> Said:
        """Do one of the things that governance may do, or may not."""
        acts: tuple[Callable[[], Said], ...] = (
            self._publish,
            self._list,
            self._profile_again,
            self._profile_again,
            self._principal,
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

    def _product(self, product: str, rulebook_id: str, *, asset: str = USDC, peril: str = "exploit") -> ListProduct:
        title = f"Product {product}"
        return ListProduct(scope="main", product=product, title=title, peril=peril, asset=asset, rulebook=rulebook_id)

    def _list(self) -> Said:
        scene = self.scene
        product = scene.one(PRODUCTS)
        rulebooks = [*sorted(scene.known.rulebooks), "nothing@1"]
        listed = self._product(product, scene.one(rulebooks))
        if scene.chance(0.2):
            listed = listed.model_copy(update={"asset": DAI})
        elif scene.chance(0.2):
            listed = listed.model_copy(update={"peril": "depeg"})
        elif scene.chance(0.2) and product in scene.known.products:
            listed = listed.model_copy(update={"rulebook": scene.known.products[product].rulebook})
        return Said(listed)

    def _profile(self, account: str) -> ProfileAssessor:
        scene = self.scene
        stake = 2**128 - 1 if scene.chance(0.01) else scene.one(_STAKES)
        linked = tuple(other for other in (*HOLDERS, *ASSESSORS) if scene.chance(0.08))
        return ProfileAssessor(scope="main", assessor=account, stake_minor=stake, linked_accounts=linked)

    def _profile_again(self) -> Said:
        scene = self.scene
        account = scene.one(ASSESSORS)
        known = scene.known.assessors.get(account)
        if known is not None and scene.chance(0.2):
            return Said(
                ProfileAssessor(
                    scope="main",
                    assessor=account,
                    stake_minor=known.stake_minor,
                    linked_accounts=known.linked_accounts,
                )
            )
        return Said(self._profile(account))

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
