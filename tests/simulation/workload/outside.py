"""Everybody outside of the space: decides who says what next, and how it gets mangled on the way."""

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random

from schemas.assessors import DeclareInterests, RegisterAssessor, RequestStakeWithdrawal
from schemas.claims import FileClaim, ReduceClaim, RegisterCover
from schemas.envelope import Input, Outgoing, Position
from schemas.incidents import ReportIncident
from schemas.instants import SECOND
from schemas.outcomes import InputOutcome
from schemas.pools import RequestCapitalWithdrawal
from services.kernel.space import Space
from tests.simulation.workload import mischief
from tests.simulation.workload.assessors import Assessors
from tests.simulation.workload.capital import Buyers, Providers
from tests.simulation.workload.claimants import Claimants, Registrar
from tests.simulation.workload.executors import Executors
from tests.simulation.workload.governors import Governors
from tests.simulation.workload.guardians import Guardians
from tests.simulation.workload.known import Known
from tests.simulation.workload.post import Post, account
from tests.simulation.workload.producers import Producers
from tests.simulation.workload.scene import PRODUCTS, Said, Scene, Speaker
from tests.simulation.workload.voters import Voters
from tests.simulation.world import World

_RESENDS_MAX = 3
_DONE_FOR_EVER = {
    "rulebook.publish.v1",
    "incident.report.v1",
    "cover.register.v1",
    "claim.add-evidence.v1",
    "claim.reduce.v1",
    "claim.withdraw.v1",
    "receipt.submitted.v1",
    "receipt.confirmed.v1",
    "receipt.failed.v1",
    "payout.resume.v1",
    "product.halt.v1",
    "product.open.v1",
    "assessor.register.v1",
    "stake.add.v1",
    "cover.request.v1",
    "capital.deposit.v1",
}
"""Types of inputs that are refused when they come again after the window of duplicates."""


class Outside:
    """Says `acts` things on its own, besides what it answers; `next_at` is when it wants to speak next."""

    def __init__(self, space: Space, world: World, random: Random, acts: int) -> None:
        favourite = random.choice((*PRODUCTS, "lend", "vault"))
        self.scene = Scene(random, Post(space, random), Known(), world, favourite)
        self.acts_left = acts
        self.next_at: int | None = world.time.now()
        self._mischief = random.choice((0.0, 0.1, 0.3))
        governors, registrar, self._executors = Governors(self.scene), Registrar(self.scene), Executors(self.scene)
        assessors, providers, buyers = Assessors(self.scene), Providers(self.scene), Buyers(self.scene)
        self._speakers: tuple[Speaker, ...] = (
            governors,
            Guardians(self.scene),
            registrar,
            self._executors,
            assessors,
            providers,
            buyers,
            Producers(self.scene),
            Claimants(self.scene),
            Voters(self.scene),
        )
        self._zeal = [random.choice((0.4, 1.0, 1.0, 2.0)) for _ in self._speakers]
        beginners = (governors, assessors, providers, registrar, buyers)
        self._beginnings = [each.beginnings() for each in beginners]
        self._patient = random.random() < 0.8
        self._rests = False
        self._encores = 2
        """How often somebody still speaks when a pool turns out to be in debt at the end."""
        self._later: list[tuple[int, int, list[Outgoing]]] = []
        self._scheduled = 0
        self._written: dict[str, Outgoing] = {}
        self._resends: dict[str, int] = {}

    def act(self) -> list[Outgoing]:
        """Write what is to be written now, and decide when to come back."""
        self._react()
        now = self.scene.now()
        if self._later and self._later[0][0] <= now:
            records = heappop(self._later)[2]
        elif self._beginnings:
            records = self._begin()
        elif self.acts_left > 0:
            self.acts_left -= 1
            records = self._mangled(self._said())
        else:
            records = []
        self._plan(now)
        return records

    # --- reacting

    def _react(self) -> None:
        outcomes, instructions = self.scene.known.read_on(self.scene.world)
        for outcome in sorted(outcomes, key=lambda outcome: (outcome.input_id, outcome.fate, outcome.at)):
            self._resend(outcome)
        if (
            self._encores
            and self.acts_left <= 0
            and any(pool.deferred_minor for pool in self.scene.known.pools.values())
        ):
            self._encores -= 1
            self.acts_left = 8
        for instruction in sorted(instructions, key=lambda instruction: instruction.reference):
            for said in self._executors.answers(instruction):
                self._in(self.scene.random.randrange(8 * SECOND), [self._write(said)])

    def _resend(self, outcome: InputOutcome) -> None:
        """Send again, under the same id, what was refused only because something did not exist yet."""
        refused, record = outcome.refusal, self._written.get(outcome.input_id)
        if refused is None or record is None or not (refused.unknown or refused.rule.endswith("unknown")):
            return
        count = self._resends[outcome.input_id] = self._resends.get(outcome.input_id, 0) + 1
        if count <= _RESENDS_MAX:
            self._in(self.scene.random.randrange(6 * SECOND), [record])

    def _in(self, delay: int, records: list[Outgoing]) -> None:
        self._scheduled += 1
        heappush(self._later, (self.scene.now() + delay, self._scheduled, records))

    # --- speaking

    def _begin(self) -> list[Outgoing]:
        """Say some of what the rest rests on; who is patient lets it be heard before going on."""
        first, count = self._beginnings[0], self.scene.random.randint(1, 6)
        said, self._beginnings[0] = first[:count], first[count:]
        if not self._beginnings[0]:
            self._beginnings.pop(0)
            self._rests = self._patient
        return [self._write(each) for each in said]

    def _said(self) -> Said:
        weights = [zeal * speaker.weight() for zeal, speaker in zip(self._zeal, self._speakers, strict=True)]
        said = self.scene.random.choices(self._speakers, weights)[0].act()
        if isinstance(said.content, ReportIncident) and self.scene.chance(0.5):
            self._echo(said.content)
        return said

    def _echo(self, report: ReportIncident) -> None:
        """Let another bot report the same within a few seconds, or several in one batch of vouchers."""
        bot = self.scene.one(("bot-1", "bot-2", "bot-3"))
        reports = [
            report.model_copy(update={"reference": f"{report.reference}-echo-{number}", "summary": "The same, I think"})
            for number in range(self.scene.random.randint(1, 3))
        ]
        unsigned = [self.scene.post.unsigned(echo) for echo in reports]
        self._in(self.scene.random.randrange(5 * SECOND), self.scene.post.signed(unsigned, bot))

    def _write(self, said: Said) -> Outgoing:
        by = "root" if self.scene.chance(0.03) else said.by
        record = self.scene.post.write(said.content, by=by)
        self._written[dict(record.headers)["ce_id"].decode()] = record
        return record

    def _mangled(self, said: Said) -> list[Outgoing]:
        """Write what was said, and perhaps do something wrong with it; the good record may come as well."""
        scene, record = self.scene, self._write(said)
        if not scene.chance(self._mischief):
            return [record]
        random, space = scene.random, scene.post.space
        ways: tuple[Callable[[], list[Outgoing]], ...] = (
            lambda: self._repeated(record),
            lambda: [mischief.misplaced(random, record, space), *([record] * random.randrange(2))],
            lambda: [mischief.forged(random, record, space), *([record] * random.randrange(2))],
            lambda: [mischief.torn(random, record), *([record] * random.randrange(2))],
            lambda: [mischief.misplaced(random, mischief.torn(random, record), space), record],
            lambda: [record, *self._same_id(said, record)],
        )
        return scene.one(ways)()

    def _repeated(self, record: Outgoing) -> list[Outgoing]:
        random = self.scene.random
        self._in(random.choice((0, SECOND, 60 * SECOND, 3600 * SECOND)), [record])
        return [record] * random.randint(1, 5)

    def _same_id(self, said: Said, record: Outgoing) -> list[Outgoing]:
        """Use an id again for other content, at once or later."""
        other = _changed(said.content)
        if other is None:
            return [record]
        identifier = dict(record.headers)["ce_id"].decode()
        again = self.scene.post.write(other, by=said.by, id=identifier)
        if self.scene.chance(0.5):
            self._in(self.scene.random.randrange(30 * SECOND), [again])
            return []
        return [again]

    # --- timing

    def _plan(self, now: int) -> None:
        """Decide when to speak next: soon, or just around the instant at which something ends."""
        scheduled = self._later[0][0] if self._later else None
        if self._beginnings:
            wanted: int | None = now + self.scene.one((2_500, 4_000) if self._rests else (0, 0, 10, 500))
            self._rests = False
        elif self.acts_left > 0:
            wanted = now + self._pause(now)
        else:
            wanted = None
        candidates = [at for at in (scheduled, wanted) if at is not None]
        self.next_at = min(candidates) if candidates else None

    def _pause(self, now: int) -> int:
        scene, known = self.scene, self.scene.known
        known.dues = [due for due in known.dues if due > now]
        busy = any(case.status == "voting" for case in known.cases.values())
        if known.dues and scene.chance(0.1 if busy else 0.3):
            due = min(known.dues) if scene.chance(0.8) else scene.one(known.dues)
            if due - now < 600 * SECOND:
                return max(0, due - now + scene.one((-1, 0, 0, 1, -1_000, 1_000, 2_001)))
        return scene.one((0, 0, 1, 40, 300, 1_500, 4_000))

    def old(self) -> list[Outgoing]:
        """List what was decided of which the state itself must know for ever that it was done."""
        records = {
            outcome.input_id: self._written[outcome.input_id]
            for _, outcome in sorted(self.scene.known.outcomes.items())
            if outcome.fate == "decided" and outcome.input_id in self._written and self._is_written(outcome)
        }
        return [record for record in records.values() if dict(record.headers)["ce_type"].decode() in _DONE_FOR_EVER]

    def _is_written(self, outcome: InputOutcome) -> bool:
        """Tell whether an input has the content that was written first under its id."""
        topic, _, partition, offset = Position.parse(outcome.position)
        record = self.scene.world.records[topic, partition][offset]
        return record.value == self._written[outcome.input_id].value

    @property
    def done(self) -> bool:
        """Tell whether nothing more will be said unprompted."""
        return not self._beginnings and self.acts_left <= 0 and not self._later


def _changed(content: Input) -> Input | None:
    """Say something else with the same type, key and sender; some types have nothing that could differ."""
    fields = type(content).model_fields
    for name in ("rationale", "summary", "note", "reason", "transaction", "title"):
        if name in fields:
            return content.model_copy(update={name: getattr(content, name) + "!"})
    match content:
        case RegisterCover() | FileClaim() | ReduceClaim() | RequestStakeWithdrawal():
            return content.model_copy(update={"amount_minor": content.amount_minor // 2 + 1})
        case RequestCapitalWithdrawal():
            return content.model_copy(update={"shares_minor": content.shares_minor // 2 + 1})
        case RegisterAssessor() | DeclareInterests():
            return content.model_copy(update={"linked_accounts": (*content.linked_accounts, account(98))})
        case _:
            return None
