"""The treasury: an executor that reads `payout.instructions` and answers with receipts, as any outsider would.

It pays a reference once, whatever it is told twice. Its mishaps are the story's: a node that is down, a fee too low,
and a clerk who types whole USDC where base units belong.
"""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.payouts import RECEIPTS, ReceiptConfirmed, ReceiptFailed, ReceiptInput, ReceiptSubmitted
from services.cli.demo.cast import digest, usdc
from services.cli.demo.seen import Instructed
from services.cli.demo.step import Post, Step, known

_MINUTE = 60_000


class Fails(NamedTuple):
    """A transfer that cannot be made this time."""

    reason: str
    aside: str


class Mistypes(NamedTuple):
    """A transfer whose first receipt is wrong."""

    aside: str


# By the cover, which is alice's and erin's: pools number what they sell.
_MISHAPS: dict[str, tuple[Fails | Mistypes, ...]] = {
    "harbor-pool.1": (
        Fails("the signer's node is down", "A transfer that fails leaves the claim approved; it is tried again."),
        Fails("the fee was too low, the transaction was dropped", "It fails once more; the wait doubles."),
    ),
    "harbor-pool.3": (Mistypes("A clerk types whole USDC where base units belong."),),
}


class Treasury:
    """Answers each instruction once."""

    def __init__(self) -> None:
        self._answered: set[tuple[str, int]] = set()
        self._mishaps = {cover: list(mishaps) for cover, mishaps in _MISHAPS.items()}

    def answer(self, instructed: Instructed) -> Iterable[Step]:
        """Say what it does about an instruction, and when."""
        instruction = instructed.instruction
        attempt = (instruction.reference, instruction.attempt)
        if attempt in self._answered:
            return
        self._answered.add(attempt)
        mishaps = self._mishaps.get(instruction.cover or "")
        mishap = mishaps.pop(0) if mishaps else None
        begins, transaction = instructed.at, "0x" + digest("transaction", *map(str, attempt)).hex()
        if isinstance(mishap, Fails):
            failed = ReceiptFailed(payout=attempt[0], attempt=attempt[1], reason=mishap.reason)
            yield _receipt("failed", begins, 20, failed, mishap.aside)
            return
        submitted = ReceiptSubmitted(payout=attempt[0], attempt=attempt[1], transaction=transaction)
        yield _receipt("submitted", begins, 10, submitted)
        confirmed = ReceiptConfirmed(
            payout=attempt[0],
            attempt=attempt[1],
            transaction=transaction,
            asset=instruction.asset,
            recipient=instruction.recipient,
            amount_minor=instruction.amount_minor,
        )
        if isinstance(mishap, Mistypes):
            mistyped = confirmed.model_copy(update={"amount_minor": instruction.amount_minor // usdc(1)})
            yield _receipt("mistyped", begins, 15, mistyped, mishap.aside)
        yield _receipt("confirmed", begins, 25, confirmed)


def _receipt(what: str, begins: int, minutes: int, content: ReceiptInput, aside: str = "") -> Step:
    input_id = f"{what}-{content.payout}-{content.attempt}".replace("/", "-")
    post = Post(input_id, RECEIPTS.name, None, known(content))
    return Step(lambda seen: begins + seen.calendar.span(minutes * _MINUTE), "treasury", (post,), aside)
