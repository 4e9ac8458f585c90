"""Producers: bots that see events, each in its own words, and report them more or less well."""

from typing import NamedTuple

from schemas.incidents import ReportIncident
from schemas.instants import DAY, SECOND
from tests.simulation.workload.post import BOTS
from tests.simulation.workload.scene import Said, Scene


class Happening(NamedTuple):
    """Something that happened in the world."""

    product: str
    occurred_at: int


class Producers:
    """Speaks for all bots."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._happenings: list[Happening] = []
        self._references: list[tuple[str, str, str]] = []

    def weight(self) -> float:
        """Say how much there is to do: more while nothing is under way that could be claimed for."""
        known, now = self.scene.known, self.scene.now()
        if any(incident.status == "open" for incident in known.incidents.values()):
            return 2.5
        recent = [incident for incident in known.incidents.values() if now - incident.decided_at < 30 * SECOND]
        return 0.7 if any(incident.status == "confirmed" for incident in recent) else 4.0

    def act(self) -> Said:
        """Report something."""
        scene = self.scene
        if not self._happenings or scene.chance(0.3):
            self._happenings.append(Happening(scene.product(), scene.now() - scene.random.randrange(5 * SECOND)))
        happening = self._happenings[-1] if scene.chance(0.8) else scene.one(self._happenings)
        bot = scene.one(BOTS)
        reference = f"{happening.product}-{len(self._happenings)}-{scene.random.randrange(3)}"
        product, occurred_at = happening.product, happening.occurred_at + scene.one((0, 0, 0, 1, -1, 900, 10 * SECOND))
        match scene.random.randrange(25):
            case 0:
                occurred_at = scene.now() + scene.one((SECOND * 30, DAY))
            case 1:
                occurred_at = scene.now() - scene.one((11 * 60 * SECOND, 900 * DAY))
            case 2:
                product = "nothing"
            case 3 if self._references:
                bot, product, reference = scene.one(self._references)
            case _:
                pass
        self._references.append((bot, product, reference))
        summary = scene.one(("Funds leave the pool", "Pool drained?", "Überfall — 流出", "odd \u0000 text"))
        evidence = ("ab" * 32,) * scene.random.randrange(3)
        report = ReportIncident(
            product=product,
            reference=reference,
            occurred_at=max(0, occurred_at),
            summary=f"{summary} seen by {bot}",
            evidence=evidence,
        )
        return Said(report, bot)
