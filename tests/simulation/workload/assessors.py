"""Assessors as such: they register, put money at stake, say to what they are close, and leave."""

from collections.abc import Callable, Sequence

from schemas.assessors import AddStake, DeclareInterests, RegisterAssessor, RequestStakeWithdrawal, WithdrawStake
from tests.simulation.workload.known import Stake
from tests.simulation.workload.post import ASSESSORS, HOLDERS, account
from tests.simulation.workload.scene import PRODUCTS, Said, Scene

_STAKES = (1, 2, 2, 3, 5, 100, 10**18)


class Assessors:
    """Speaks for everybody who has stake or wants some."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._transfers = 0

    def beginnings(self) -> list[Said]:
        """Register most of them, most with something at stake."""
        said: list[Said] = []
        for assessor in ASSESSORS:
            is_registered = self.scene.chance(0.85)
            if is_registered:
                said.append(Said(RegisterAssessor(assessor=assessor, linked_accounts=self._linked())))
            if self.scene.chance(0.95 if is_registered else 0.1):
                said.append(Said(self._stake(assessor)))
        return said

    def weight(self) -> float:
        """Say how much there is to do: more when stake can leave."""
        now, stakes = self.scene.now(), self.scene.known.stakes.values()
        return 0.8 + 0.7 * sum(stake.available_at is not None and stake.available_at <= now for stake in stakes)

    def act(self) -> Said:
        """Do one of the things that assessors may do, or may not."""
        acts: tuple[Callable[[], Said], ...] = (
            self._register,
            self._add,
            self._add,
            self._declare,
            self._declare,
            self._ask,
            self._ask,
            self._leave,
            self._leave,
        )
        return self.scene.one(acts)()

    def _linked(self) -> tuple[str, ...]:
        return tuple(other for other in (*HOLDERS, *ASSESSORS) if self.scene.chance(0.06))

    def _anybody(self) -> str:
        return account(99) if self.scene.chance(0.05) else self.scene.one(ASSESSORS)

    def _staked(self, accounts: Sequence[str]) -> str:
        return self.scene.one(accounts) if accounts and self.scene.chance(0.85) else self._anybody()

    def _stake(self, assessor: str) -> AddStake:
        self._transfers += 1
        amount = 2**127 if self.scene.chance(0.01) else self.scene.one(_STAKES)
        return AddStake(assessor=assessor, amount_minor=amount, transaction=f"stake-{self._transfers}")

    def _register(self) -> Said:
        return Said(RegisterAssessor(assessor=self.scene.one(ASSESSORS), linked_accounts=self._linked()))

    def _add(self) -> Said:
        added = self._stake(self._anybody())
        if self.scene.chance(0.15):
            added = added.model_copy(update={"transaction": f"stake-{self.scene.random.randint(1, self._transfers)}"})
        return Said(added)

    def _declare(self) -> Said:
        scene, assessor = self.scene, self._anybody()
        known = scene.known.assessors.get(assessor)
        if known is not None and scene.chance(0.2):
            same = DeclareInterests(assessor=assessor, products=known.interests, linked_accounts=known.linked_accounts)
            return Said(same)
        products = tuple(product for product in PRODUCTS if scene.chance(0.15))
        return Said(DeclareInterests(assessor=assessor, products=products, linked_accounts=self._linked()))

    def _ask(self) -> Said:
        scene, stakes = self.scene, self.scene.known.stakes
        idle = [name for name in sorted(stakes) if stakes[name].amount_minor and stakes[name].available_at is None]
        assessor = self._staked(idle)
        held = stakes.get(assessor, Stake()).amount_minor
        amount = scene.one((held, held, held // 2, held - 1, held + 1, 1))
        return Said(RequestStakeWithdrawal(assessor=assessor, amount_minor=max(1, amount)))

    def _leave(self) -> Said:
        now, stakes = self.scene.now(), self.scene.known.stakes
        asked = {name: at for name, stake in sorted(stakes.items()) if (at := stake.available_at) is not None}
        due = [name for name, at in asked.items() if at <= now]
        return Said(WithdrawStake(assessor=self._staked(due or list(asked))))
