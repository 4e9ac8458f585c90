"""Law 2 of product.md section 13 where a pool pays: what is paid on a cover is never above its amount.

Claims and payouts together, in random histories, and what they tell each other arrives late. The pool is drawn, and
worse than any pool: it allocates what it likes, to any claim, in any order and more than once.
"""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.adjudication import CaseRuled
from schemas.claims import FileClaim, ReduceClaim, WithdrawClaim
from schemas.envelope import Message
from schemas.payouts import ReceiptConfirmed, ReceiptFailed
from schemas.rulebook import Outcome
from services.claims.cover import Cover
from services.claims.service import SERVICE as CLAIMS
from services.kernel.decider import BROADCAST
from services.payouts.payout import Payout
from services.payouts.service import SERVICE as PAYOUTS
from tests.support.lawful import Deliver, LawfulWorld, Put, Tick, Waiting
from tests.unit.claims.examples import HOLDER, HOUR, OPEN, USDC, decided, published
from tests.unit.claims.pool_examples import ISSUED, POOLED, SETTLED, allocation

KEY = "cover/main.1"
OFTEN = ("file", "rule", "rule", "allocate", "allocate", "allocate", "paid", "paid", "deliver", "deliver all")
STEPS = (*OFTEN, *OFTEN, *OFTEN, "reduce", "withdraw", "failed", "tick")
INCIDENTS = ("P/1", "P/2", "P/3")
outcomes: st.SearchStrategy[Outcome] = st.sampled_from(("accept", "accept", "accept", "deny", "draw"))


class Scene:
    """A cover of 100 that pool main sold, and everything that is said about it."""

    def __init__(self, data: st.DataObject) -> None:
        self.draw = data.draw
        self.world = LawfulWorld((CLAIMS, PAYOUTS), OPEN)
        for fact in (published(SETTLED), POOLED, *map(decided, INCIDENTS)):
            self._tell(fact, BROADCAST)
        self._tell(ISSUED)
        self.world.take(Deliver())

    @property
    def cover(self) -> Cover:
        cover: Cover = self.world.states[KEY]
        return cover

    @property
    def payouts(self) -> dict[str, Payout]:
        return {key.partition("/")[2]: state for key, state in self.world.states.items() if key.startswith("payout/")}

    def _tell(self, content: Message, key: str = KEY) -> None:
        self.world.inboxes["claims"].append(Waiting(key, content, self.world.now, "/world/sibling"))

    def take(self, step: str) -> None:
        if step in ("rule", "allocate"):
            self._hear(step)
        elif step in ("file", "reduce", "withdraw"):
            self._claim(step)
        elif step in ("paid", "failed"):
            self._report(step)
        elif step == "tick":
            self.world.take(Tick(HOUR))
        else:
            self.world.take(Deliver(self.draw(st.sampled_from(("claims", "payouts"))) if step == "deliver" else None))

    def _number(self) -> str:
        last = len(self.cover.claims)
        return f"main.1/{self.draw(st.sampled_from((last or 1, last or 1, *range(1, last + 2))))}"

    def _hear(self, step: str) -> None:
        name = self._number()
        amount_minor = self.draw(st.integers(0, 100))
        if step == "allocate":
            self._tell(allocation(amount_minor, self.draw(st.integers(1, 5)), name))
        elif name in self.cover.claims:
            ruled_minor = self.cover.claims[name].amount_minor
            case = f"claim/{name}"
            self._tell(CaseRuled(case=case, subject="claim", outcome=self.draw(outcomes), amount_minor=ruled_minor))

    def _claim(self, step: str) -> None:
        amount_minor = self.draw(st.integers(1, 100))
        who = {"cover": "main.1", "claimant": HOLDER}
        content: FileClaim | ReduceClaim | WithdrawClaim
        if step == "file":
            incident = self.draw(st.sampled_from(INCIDENTS))
            content = FileClaim.model_validate(who | {"incident": incident, "amount_minor": amount_minor})
        elif step == "reduce":
            content = ReduceClaim.model_validate(who | {"claim": self._number(), "amount_minor": amount_minor})
        else:
            content = WithdrawClaim.model_validate(who | {"claim": self._number()})
        self.world.take(Put(content, HOLDER))

    def _report(self, step: str) -> None:
        if not self.payouts:
            return
        payout = self.draw(st.sampled_from(sorted(self.payouts)))
        state = self.payouts[payout]
        assert state.instruction is not None
        content: ReceiptFailed | ReceiptConfirmed = ReceiptFailed(payout=payout, attempt=state.attempt, reason="gas")
        if step == "paid":
            amount_minor = state.instruction.amount_minor
            content = ReceiptConfirmed(
                payout=payout,
                attempt=state.attempt,
                transaction="0x1",
                asset=USDC,
                recipient=HOLDER,
                amount_minor=amount_minor,
            )
        self.world.take(Put(content, "treasury"))


@settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_paid_on_a_cover__never_above_its_amount_whatever_a_pool_allocates(data: st.DataObject) -> None:
    scene = Scene(data)
    for step in ("file", *data.draw(st.lists(st.sampled_from(STEPS), min_size=20, max_size=60))):
        scene.take(step)
        instructed = [state.instruction for state in scene.payouts.values() if state.instruction is not None]
        assert sum(instruction.amount_minor for instruction in instructed) <= 100
    scene.world.take(Deliver())
    paid_minor = 0
    for name, claim in scene.cover.claims.sorted_items():
        of_claim = [state for payout, state in scene.payouts.items() if payout.startswith(f"{name}/")]
        amounts = [(state.instruction.amount_minor, state.confirmed) for state in of_claim if state.instruction]
        assert claim.payments.asked_minor == sum(amount_minor for amount_minor, _ in amounts) <= claim.amount_minor
        assert claim.payments.paid_minor == sum(amount_minor for amount_minor, confirmed in amounts if confirmed)
        paid_minor += claim.payments.paid_minor
    assert scene.cover.paid_minor == paid_minor
    assert paid_minor + scene.cover.owed_minor <= 100
