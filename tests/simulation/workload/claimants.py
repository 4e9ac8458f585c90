"""Claimants, and the registrar who tells of their covers."""

from collections.abc import Callable
from typing import Any

from schemas.claims import AddEvidence, Evidence, FileClaim, ReduceClaim, RegisterCover, WithdrawClaim
from schemas.instants import DAY, LAST, SECOND
from tests.simulation.workload.post import HOLDERS
from tests.simulation.workload.scene import AMOUNTS, DAI, POOL_OF, USDC, Said, Scene


class Registrar:
    """Registers covers, good ones and bad ones."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._count = 0

    def beginnings(self) -> list[Said]:
        """Register the first covers; their rulebook is named before it is known that it exists."""
        few, many = (4, 7) if POOL_OF[self.scene.favourite] is None else (1, 2)
        count = self.scene.random.randint(few, many)
        return [Said(self._good(self.scene.one(("alpha@1", "beta@1")))) for _ in range(count)]

    def weight(self) -> float:
        """Say how much there is to do."""
        return 0.7 if POOL_OF[self.scene.favourite] is None else 0.3

    def act(self) -> Said:
        """Register a cover."""
        scene = self.scene
        rulebooks = sorted(scene.known.rulebooks)
        good = self._good(scene.one(rulebooks) if rulebooks else "alpha@1")
        changes: tuple[dict[str, Any], ...] = (
            {},
            {},
            {"cover": scene.one(sorted(scene.known.covers) or ["C-1"])},
            {"expires_at": good.starts_at},
            {"product": "nothing"},
            {"asset": DAI},
            {"rulebook": "nothing@1"},
            {"product": scene.one(("lend", "bridge"))},
            {"cover": f"main.{scene.random.randrange(9)}"},
        )
        return Said(good.model_copy(update=scene.one(changes)))

    def _good(self, rulebook: str) -> RegisterCover:
        scene = self.scene
        self._count += 1
        now = scene.now()
        return RegisterCover(
            cover=f"C-{self._count}",
            product=scene.one([product for product, pool in POOL_OF.items() if pool is None]),
            holder=scene.one(HOLDERS),
            amount_minor=scene.one(AMOUNTS),
            asset=USDC,
            starts_at=now + scene.one((-DAY, -DAY, -DAY, -DAY, -now, 10 * SECOND)),
            expires_at=now + scene.one((30 * DAY, 30 * DAY, 30 * DAY, 60 * SECOND, 10 * 60 * SECOND, LAST - now)),
            rulebook=rulebook,
        )


class Claimants:
    """Files claims, and does to them what claimants may do, or may not."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def weight(self) -> float:
        """Say how much there is to do."""
        return min(8.0, 0.8 + 2.0 * len(self._pairs()))

    def act(self) -> Said:
        """Say something about a claim."""
        scene = self.scene
        if not scene.known.claims or scene.chance(0.8 if self._pairs() else 0.4):
            return self._file()
        acts: tuple[Callable[[], FileClaim | AddEvidence | ReduceClaim | WithdrawClaim], ...] = (
            self._add,
            self._add,
            self._reduce,
            self._withdraw,
        )
        return Said(scene.one(acts)())

    def _pairs(self, *, fitting: bool = True) -> list[tuple[str, str]]:
        """List covers with incidents that can be claimed for under them now, as far as one can see, or with others."""
        known = self.scene.known
        busy = {claim.filed.cover for claim in known.claims.values() if claim.status == "filed"}
        done = {(claim.filed.cover, claim.filed.incident) for claim in known.claims.values()}
        return [
            (cover, incident)
            for cover in sorted(known.covers)
            for incident in sorted(known.incidents)
            if known.incidents[incident].product == known.covers[cover].product
            and known.incidents[incident].status == "confirmed"
            and cover not in busy
            and fitting == ((cover, incident) not in done and self._fits(cover, incident))
        ]

    def _fits(self, cover: str, incident: str) -> bool:
        known, now = self.scene.known, self.scene.now()
        sold, happened = known.covers[cover], known.incidents[incident]
        rules = known.rulebooks[sold.rulebook].claim
        cut_off = rules.settlement.cut_off if rules.settlement is not None and sold.pool is not None else LAST
        return (
            sold.starts_at + rules.intake.waiting_period <= happened.occurred_at < sold.expires_at
            and happened.occurred_at + rules.intake.not_before <= now < sold.claimable_until
            and now < happened.decided_at + cut_off
        )

    def _file(self) -> Said:
        scene, known = self.scene, self.scene.known
        pairs, others = self._pairs(), self._pairs(fitting=False)
        if pairs and scene.chance(0.75):
            cover, incident = scene.one(pairs)
        elif others and scene.chance(0.7):
            cover, incident = scene.one(others)
        else:
            cover = scene.one([*sorted(known.covers), "C-unknown"])
            incident = scene.one([*sorted(known.incidents), "lend/99"])
        registered = known.covers.get(cover)
        holder = registered.holder if registered else HOLDERS[0]
        claimant = scene.one(HOLDERS) if scene.chance(0.1) else holder
        whole = registered.amount_minor if registered else 100
        amount = scene.one((whole, whole, whole, max(1, whole // 2), max(1, whole // 3), min(whole + 1, 2**256 - 1)))
        filing = FileClaim(
            cover=cover,
            claimant=claimant,
            incident=incident,
            amount_minor=amount,
            evidence=self._documents(scene.one((0, 0, 0, 1, 2, 5))),
        )
        by = "wallet" if scene.chance(0.3 if claimant == HOLDERS[0] else 0.03) else "gateway"
        return Said(filing, by)

    def _documents(self, count: int) -> tuple[Evidence, ...]:
        return tuple(
            Evidence(
                sha256=f"{self.scene.random.randrange(12):064x}",
                media_type="application/pdf",
                size_bytes=2_000,
                description="A statement",
            )
            for _ in range(count)
        )

    def _claim(self) -> dict[str, Any]:
        """Choose a claim, mostly one that is open, and who speaks of it."""
        scene, claims = self.scene, self.scene.known.claims
        still_open = [name for name in sorted(claims) if claims[name].status == "filed"]
        name = scene.one(still_open if still_open and scene.chance(0.8) else sorted(claims))
        filed = claims[name].filed
        chosen = {"cover": filed.cover, "claimant": filed.claimant, "claim": name}
        match scene.random.randrange(14):
            case 0:
                chosen["claimant"] = scene.one(HOLDERS)
            case 1:
                chosen["claim"] = f"{filed.cover}/77"
            case 2:
                chosen["cover"] = scene.one(sorted(scene.known.covers))
            case _:
                pass
        return chosen

    def _add(self) -> AddEvidence:
        return AddEvidence(**self._claim(), evidence=self._documents(self.scene.random.randint(1, 3)))

    def _reduce(self) -> ReduceClaim:
        scene, chosen = self.scene, self._claim()
        claim = scene.known.claims.get(chosen["claim"])
        amount = claim.amount_minor if claim else 10
        return ReduceClaim(**chosen, amount_minor=scene.one((amount, max(1, amount - 1), max(1, amount // 2))))

    def _withdraw(self) -> WithdrawClaim:
        return WithdrawClaim(**self._claim())
