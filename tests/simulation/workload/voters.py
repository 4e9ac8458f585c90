"""Assessors who vote, accounts that would like to, and claimants who try."""

from typing import Any

from schemas.adjudication import CastVote, Recuse
from tests.simulation.workload.post import ASSESSORS, account
from tests.simulation.workload.scene import Said, Scene


class Voters:
    """Speaks for everybody who votes."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def weight(self) -> float:
        """Say how much there is to do: each open round wants votes."""
        voting = sum(case.status == "voting" for case in self.scene.known.cases.values())
        return 0.6 + 4.0 * min(voting, 3)

    def act(self) -> Said:
        """Cast a vote, mostly a good one, or step back."""
        scene, cases = self.scene, self.scene.known.cases
        voting = [name for name in sorted(cases) if cases[name].status == "voting"]
        name = scene.one(voting if voting and scene.chance(0.9) else [*sorted(cases), "claim/C-unknown/1"])
        case = cases.get(name)
        assessor = scene.one(ASSESSORS)
        if case is not None and scene.chance(0.7):
            staked = [account for account, known in sorted(scene.known.assessors.items()) if known.stake_minor]
            fit = [account for account in staked if account not in case.voted and account not in case.barred]
            assessor = scene.one(fit or list(ASSESSORS))
        elif scene.chance(0.2):
            assessor = account(99)
        elif case is not None and case.claimant and scene.chance(0.3):
            assessor = case.claimant
        if scene.chance(0.12):
            return Said(Recuse(case=name, assessor=assessor, reason=scene.one(("", "I know them"))))
        vote: dict[str, Any] = {
            "case": name,
            "assessor": assessor,
            "choice": "accept" if scene.chance(0.7) else "deny",
            "clause": scene.one(("", "1.2", "1.2", "3")),
            "rationale": scene.one(("", "As the reports say")),
        }
        if case is not None and assessor in case.voted and scene.chance(0.3):
            before = case.voted[assessor]
            vote |= {"choice": before.choice, "clause": before.clause, "rationale": before.rationale}
        return Said(CastVote(**vote))
