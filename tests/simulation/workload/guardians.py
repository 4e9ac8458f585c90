"""Guardians, who halt products and open them again, and governance's findings on incidents."""

from collections.abc import Callable

from schemas.governance import FindIncident, HaltProduct, OpenProduct
from schemas.instants import DAY, SECOND
from tests.simulation.workload.post import GUARDIANS
from tests.simulation.workload.scene import PRODUCTS, Said, Scene

_PERSONS = ("guard-1", "guard-1", "guard-2", "guard-2", "root")


class Guardians:
    """Speaks for those who may stop a product, for those who may not, and for root when it finds."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def weight(self) -> float:
        """Say how much there is to do: whoever was asked to join in does it soon."""
        return 3.0 if self.scene.known.halts_asked else 0.6

    def act(self) -> Said:
        """Ask for a halt, confirm one, end one, or find."""
        if self.scene.known.halts_asked and self.scene.chance(0.6):
            return self._join()
        acts: tuple[Callable[[], Said], ...] = (self._halt, self._halt, self._open, self._open, self._find)
        return self.scene.one(acts)()

    def _join(self) -> Said:
        """Ask for what somebody else asked for."""
        scene = self.scene
        asked = scene.known.halts_asked[scene.one(sorted(scene.known.halts_asked))]
        others = [person for person in (*GUARDIANS, "root") if person != asked.by or scene.chance(0.2)]
        length = asked.length + (SECOND if scene.chance(0.1) else 0)
        halt = HaltProduct(scope="main", product=asked.product, length=length, reason="As was asked for")
        return Said(halt, scene.one(others))

    def _halt(self) -> Said:
        scene = self.scene
        product = "nothing" if scene.chance(0.05) else scene.product()
        length = scene.one((10 * SECOND, 10 * SECOND, 30 * SECOND, 60 * SECOND, 0, 400 * DAY))
        halt = HaltProduct(scope="main", product=product, length=length, reason="Funds move where they should not")
        return Said(halt, "bot-1" if scene.chance(0.05) else scene.one(_PERSONS))

    def _open(self) -> Said:
        scene = self.scene
        halted = [name for name, until in sorted(scene.known.halted_until.items()) if until > scene.now()]
        product = scene.one(halted) if halted and scene.chance(0.8) else scene.one(PRODUCTS)
        return Said(OpenProduct(scope="main", product=product, reason="It was nothing"), scene.one(_PERSONS))

    def _find(self) -> Said:
        """Find on an incident, mostly one that is open."""
        scene, incidents = self.scene, self.scene.known.incidents
        still_open = [name for name in sorted(incidents) if incidents[name].status == "open"]
        incident = scene.one(
            still_open if still_open and scene.chance(0.8) else [*sorted(incidents), "lend/99", "no/1"]
        )
        finding = "confirmed" if scene.chance(0.7) else "rejected"
        reason = scene.one(("Governance looked", "Governance looked", "It looked again"))
        by = "guard-1" if scene.chance(0.05) else "root"
        return Said(FindIncident.model_validate({"incident": incident, "finding": finding, "reason": reason}), by)
