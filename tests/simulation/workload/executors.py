"""The treasury's executor: acts on instructions as the relay delivers them, at least once, and tells what happened."""

from typing import Any

from schemas.envelope import Input
from schemas.outcomes import PayoutInstruction
from schemas.payouts import ReceiptConfirmed, ReceiptFailed, ReceiptSubmitted, ResumePayout
from tests.simulation.workload.known import Payout
from tests.simulation.workload.post import HOLDERS
from tests.simulation.workload.scene import DAI, Said, Scene


class Executors:
    """Speaks as the treasury."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def weight(self) -> float:
        """Say how much there is to do."""
        payouts = self.scene.known.payouts.values()
        return 2.0 * sum(payout.status != "confirmed" for payout in payouts) + 0.2 * len(payouts)

    def answers(self, instruction: PayoutInstruction) -> list[Said]:
        """Answer a new instruction: as a rule by sending the transfer, which mostly succeeds."""
        scene = self.scene
        attempt: dict[str, Any] = {"payout": instruction.reference, "attempt": instruction.attempt}
        said: list[Input] = [
            ReceiptSubmitted(**attempt, transaction=f"0x{scene.random.randrange(2**32):x}")
            for _ in range(scene.one((0, 0, 1, 1, 2)))
        ]
        match scene.random.randrange(10):
            case 0 | 1 | 2:
                said.append(ReceiptFailed(**attempt, reason="reverted"))
            case 3:
                pass
            case _:
                said.append(confirmation(instruction, scene))
        return [Said(content) for content in said]

    def act(self) -> Said:
        """Say something about a payout, mostly what fits it."""
        scene, payouts = self.scene, self.scene.known.payouts
        if not payouts or scene.chance(0.05):
            return Said(ReceiptFailed(payout="C-unknown/1/1", attempt=1, reason="no such payout"))
        open_ones = [name for name in sorted(payouts) if payouts[name].status != "confirmed"]
        payout = payouts[scene.one(open_ones if open_ones and scene.chance(0.7) else sorted(payouts))]
        return Said(self._about(payout))

    def _about(self, payout: Payout) -> Input:
        scene, instruction = self.scene, payout.instruction
        attempt = max(1, instruction.attempt + scene.one((0, 0, 0, 0, 0, 1, -1)))
        named: dict[str, Any] = {"payout": instruction.reference, "attempt": attempt}
        if payout.status == "suspended" and scene.chance(0.5):
            return ResumePayout(**named, note="checked: the attempt cannot succeed any more")
        match scene.random.randrange(6):
            case 0:
                return ReceiptSubmitted(**named, transaction="0xabc")
            case 1:
                return ReceiptFailed(**named, reason="out of gas")
            case 2:
                return ResumePayout(**named, note="go on")
            case 3:
                return _wrong(confirmation(instruction, scene).model_copy(update={"attempt": attempt}), scene)
            case _:
                return confirmation(instruction, scene).model_copy(update={"attempt": attempt})


def confirmation(instruction: PayoutInstruction, scene: Scene) -> ReceiptConfirmed:
    """Confirm exactly what was instructed."""
    return ReceiptConfirmed(
        payout=instruction.reference,
        attempt=instruction.attempt,
        transaction=scene.one(("0xfeed", "0xfeed", "0xbeef")),
        asset=instruction.asset,
        recipient=instruction.recipient,
        amount_minor=instruction.amount_minor,
    )


def _wrong(receipt: ReceiptConfirmed, scene: Scene) -> ReceiptConfirmed:
    changes: tuple[dict[str, Any], ...] = (
        {"amount_minor": min(receipt.amount_minor + 1, 2**256 - 1)},
        {"asset": DAI},
        {"recipient": scene.one(HOLDERS)},
    )
    return receipt.model_copy(update=scene.one(changes))
