"""Laws of pools over random histories: one pool, and its siblings as they may behave.

Claims file, reduce, withdraw and rule at any time, and what they tell the pool is on its way for a while. Payouts are
confirmed in any order, halts come and go, capital and terms change in between.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Message
from schemas.instants import DAY
from schemas.pools import (
    CapitalWithdrawn,
    ClaimExposure,
    CoverSold,
    IncidentSettled,
    PoolTerms,
    SettlementLines,
    Tranche,
)
from services.kernel.decider import Refused
from services.pools.allocation import CutOff, Owed, allocate, share
from services.pools.exposure import accounted, counts
from services.pools.facts import Facts
from services.pools.pool import Pool, capacity, tranche, value
from tests.support.lawful import assert_snapshot_reads_back
from tests.unit.pools.examples import (
    ALICE,
    BOB,
    CAROL,
    CUT_OFF,
    FACTS,
    LISTED,
    NOTICE,
    START,
    TERMS,
    UNLIMITED,
    Books,
    alarmed,
    claimed,
    cover,
    decided,
    deposit,
    funded,
    halted,
    knowing,
    leave,
    product,
    reopened,
    transferred,
    unopened,
    withdraw,
)
from tests.unit.pools.test_settlement import with_capital

PROVIDERS = (ALICE, BOB, CAROL)
TRANCHES: tuple[Tranche, ...] = ("junior", "senior")
PRODUCTS = ("P", "Q", "R")
OFTEN_P = ("P", "P", "P", "P", "Q", "R")
WORLD = knowing(product("R", dependencies=("bridge",)), since=FACTS)
WIDE = UNLIMITED.model_copy(update={"capacity_bps": 100_000})
"""Terms under which capital is soon short."""
TERMS_OF = (WIDE, WIDE, WIDE.model_copy(update={"reserve_bps": 0, "junior_bps": 0}), UNLIMITED, TERMS)
SHARES = (1, 7, 50, 1_000)
DEPOSITS = (1, 7, 20, 50, 100)
COVERS = (1, 30, 30, 30, 50, 50, 100, 200)


@dataclass
class Claim:
    """A claim as claims keeps it: what it holds, what it asked payouts for, and what came of them."""

    cover: str
    incident: str
    amount: int
    status: str = "undecided"
    held: int = 0
    asked: int = 0
    payouts: int = 0
    line: tuple[int, int] = (0, 0)
    changed: bool = False


class World:
    """One pool, and its siblings. `prompt`: the pool hears of everything before time passes."""

    def __init__(self, seed: int, *, prompt: bool) -> None:
        self.random = Random(seed)
        self.prompt = prompt
        self.pool: Books = unopened(WORLD)
        self.now = START
        self.claims: dict[str, Claim] = {}
        self.told: deque[ClaimExposure] = deque()
        self.asked: list[Message] = []
        self.covers: dict[str, CoverSold] = {}
        self.incidents: dict[str, int] = {}
        self.distributed: Counter[tuple[str, int]] = Counter()
        self.lines: Counter[tuple[str, int]] = Counter()
        self.seen: Counter[str] = Counter()
        self.transfers = 0
        self.decide(LISTED.model_copy(update={"terms": self.random.choice(TERMS_OF)}))
        for step in self.random.choice(BEGINNINGS):
            step(self)

    @property
    def state(self) -> Pool:
        state: Pool = self.pool.state
        return state

    @property
    def facts(self) -> Facts:
        facts: Facts = self.pool.facts
        return facts

    def step(self) -> None:
        self.random.choice(STEPS)(self)

    def decide(self, content: Message) -> None:
        before = self.state
        self.pool.when(content, at=self.now)
        self.note(before)

    def note(self, before: Pool) -> None:
        for event in self.pool.events:
            self.seen[event.wire] += 1
            match event:
                case Refused(rule=rule):
                    self.seen[rule] += 1
                case CoverSold():
                    self.covers[event.cover] = event
                    self.check_sale(before, event)
                case IncidentSettled():
                    self.distributed[event.incident, event.allocation] += event.distributed_minor
                    self.seen[event.cause] += 1
                case SettlementLines():
                    self.hear(event)
                case CapitalWithdrawn(payout=str() as payout):
                    self.asked.append(transferred(payout, event.amount_minor))
                case _:
                    pass
        check(self.state)

    def check_sale(self, before: Pool, event: CoverSold) -> None:
        """No limit is exceeded when cover is sold, counted from the covers and not from sums."""
        terms = before.terms
        assert terms is not None
        limit = capacity(before, terms)
        exposures = exposures_of(self.state)
        assert sum(exposures.values()) <= limit
        assert exposures[event.product] <= limit * terms.product_bps // 10_000
        bridged, exploited = exposures["P"] + exposures["R"], exposures["P"] + exposures["R"]
        if event.product in {"P", "R"}:
            assert max(bridged, exploited) <= limit * terms.dependency_bps // 10_000

    def hear(self, event: SettlementLines) -> None:
        """Do as claims does: hold what an undecided claim gets, pay what an approved one gets, within its amount."""
        for line in event.lines:
            self.lines[event.incident, event.allocation] += line.amount_minor
            claim = self.claims[line.claim]
            amount = min(line.amount_minor, claim.amount - claim.held - claim.asked)
            reckoned = line.allocated_minor + line.deferred_minor
            claim.line = (line.allocated_minor, reckoned)
            if claim.amount < reckoned:
                amount = max(0, line.allocated_minor * claim.amount // reckoned - claim.held - claim.asked)
            if claim.status == "undecided":
                claim.held += amount
            elif claim.status == "approved" and amount:
                self.pay(line.claim, claim, amount)

    def pay(self, name: str, claim: Claim, amount: int) -> None:
        claim.asked += amount
        claim.payouts += 1
        self.asked.append(transferred(f"{name}/{claim.payouts}", amount))

    def tell(self, name: str, status: str) -> None:
        claim = self.claims[name]
        amount = 0 if status == "closed" else claim.amount
        self.told.append(claimed(name, amount, status, claim.incident))  # type: ignore[arg-type]

    def deliver(self) -> None:
        if self.told:
            self.decide(self.told.popleft())

    def deliver_all(self) -> None:
        while self.told:
            self.deliver()

    def deposit(self) -> None:
        self.transfers += 1
        amount, name = self.random.choice(DEPOSITS), self.random.choice(TRANCHES)
        provider = self.random.choice(PROVIDERS)
        self.decide(deposit(amount, name, provider, f"0x{self.transfers}"))

    def leave(self) -> None:
        name, provider = self.random.choice(TRANCHES), self.random.choice(PROVIDERS)
        self.decide(leave(self.random.choice(SHARES), name, provider))

    def withdraw(self) -> None:
        name, provider = self.random.choice(TRANCHES), self.random.choice(PROVIDERS)
        self.decide(withdraw(name, provider))

    def sell(self) -> None:
        self.transfers += 1
        name, days = self.random.choice(OFTEN_P), self.random.choice((30, 31, 90, 365))
        amount = self.random.choice(COVERS)
        self.decide(cover(amount, name, period=days * DAY, transaction=f"0x{self.transfers}"))

    def alarm(self) -> None:
        name = self.random.choice(PRODUCTS)
        alarm = alarmed(f"{name}/{len(self.incidents) + 1}", self.now + 3 * DAY)
        self.pool.with_facts(knowing(alarm, since=self.facts))

    def confirm(self) -> None:
        name = self.random.choice(OFTEN_P)
        fact = decided(f"{name}/{len(self.incidents) + 1}", decided_at=self.now)
        self.incidents[fact.incident] = self.now
        self.pool.with_facts(knowing(fact, since=self.facts))
        self.decide(fact)

    def halt(self) -> None:
        name = self.random.choice(PRODUCTS)
        halts = self.facts.halts.get(name, ())
        if halts and halts[-1].until > self.now:
            fact: Message = reopened(halts[-1].effective_at, max(self.now, halts[-1].effective_at), name)
        else:
            fact = halted(self.now + 10_000, self.now + DAY, name)
        self.pool.with_facts(knowing(fact, since=self.facts))
        self.decide(fact)

    def file(self) -> None:
        incident = self.random.choice(sorted(self.incidents)) if self.incidents else ""
        covers = [
            name
            for name, sold in self.covers.items()
            if sold.product == incident.partition("/")[0] and self.can_file(name, sold, incident)
        ]
        if not covers:
            return
        name = self.random.choice(covers)
        amount = self.random.choice((self.remaining(name), min(50, self.remaining(name))))
        claim = f"{name}/{sum(claim.cover == name for claim in self.claims.values()) + 1}"
        self.claims[claim] = Claim(name, incident, amount)
        self.tell(claim, "undecided")

    def remaining(self, name: str) -> int:
        taken = sum(claim.amount for claim in self.claims.values() if (claim.cover, claim.status) == (name, "approved"))
        return self.covers[name].amount_minor - taken

    def can_file(self, name: str, sold: CoverSold, incident: str) -> bool:
        decided_at = self.incidents[incident]
        of_cover = [claim for claim in self.claims.values() if claim.cover == name]
        open_ = any(claim.status == "undecided" for claim in of_cover)
        paid = any(claim.status == "approved" and claim.incident == incident for claim in of_cover)
        in_time = self.now < min(decided_at + CUT_OFF, sold.claimable_until) and sold.starts_at < decided_at
        return in_time and not open_ and not paid and self.remaining(name) > 0

    def undecided(self) -> str | None:
        names = [name for name, claim in self.claims.items() if claim.status == "undecided"]
        return self.random.choice(names) if names else None

    def reduce(self) -> None:
        name = self.undecided()
        if name is not None and self.claims[name].amount > 1:
            claim = self.claims[name]
            amount = self.random.randint(1, claim.amount - 1)
            allocated, reckoned = claim.line
            if amount < reckoned:
                claim.held = allocated * amount // reckoned
            claim.amount, claim.changed = amount, True
            self.tell(name, "undecided")

    def close(self) -> None:
        name = self.undecided()
        if name is not None:
            self.claims[name].status, self.claims[name].held = "closed", 0
            self.tell(name, "closed")

    def approve(self) -> None:
        name = self.undecided()
        if name is not None:
            claim = self.claims[name]
            claim.status = "approved"
            self.tell(name, "approved")
            held, claim.held = claim.held, 0
            if held:
                self.pay(name, claim, held)

    def transfer(self) -> None:
        if self.asked:
            confirmation = self.random.choice(self.asked)
            self.decide(confirmation)
            if self.random.random() < 0.5:
                self.asked.remove(confirmation)

    def relist(self) -> None:
        terms: PoolTerms = self.random.choice(TERMS_OF)
        self.decide(LISTED.model_copy(update={"terms": terms}))

    def pass_a_second(self) -> None:
        self.until(self.now + 1_000)

    def wait(self) -> None:
        self.until(self.now + self.random.choice((1, DAY, 3 * DAY, NOTICE, 10 * DAY, 40 * DAY)))

    def until(self, instant: int) -> None:
        """Let time pass: what falls due fires, and what is due already before anything else."""
        while (open_ := self.pool.deadlines()) and open_[0].due <= instant:
            if self.prompt:
                self.deliver_all()
                open_ = self.pool.deadlines()
                if not open_ or open_[0].due > instant:
                    continue
            self.now = max(self.now, open_[0].due)
            before = self.state
            self.pool.when(open_[0], at=open_[0].due)
            assert self.pool.events
            assert open_[0] not in self.pool.deadlines()
            self.note(before)
        self.now = instant

    def finish(self) -> None:
        """Every claim is decided, everything is heard of, every payout confirmed."""
        for name, claim in self.claims.items():
            if claim.status == "undecided":
                claim.status, claim.held = "closed", 0
                self.tell(name, "closed")
        self.deliver_all()
        self.until(self.now + 60 * DAY)
        self.deliver_all()
        for confirmation in list(self.asked):
            self.decide(confirmation)


STEPS: list[Callable[[World], None]] = [
    World.deposit,
    World.leave,
    World.withdraw,
    World.sell,
    World.sell,
    World.alarm,
    World.confirm,
    World.halt,
    World.file,
    World.file,
    World.file,
    World.reduce,
    World.close,
    World.approve,
    World.approve,
    World.deliver,
    World.deliver_all,
    World.transfer,
    World.relist,
    World.wait,
    World.wait,
]


_SOLD = (World.deposit, World.deposit, *([World.sell] * 6))
_CLAIMED = (*_SOLD, World.pass_a_second, World.confirm, *([World.file] * 5), World.deliver_all)
BEGINNINGS: tuple[tuple[Callable[[World], None], ...], ...] = (
    (),
    _SOLD,
    _CLAIMED,
    (*_CLAIMED, World.approve, World.approve, World.approve, World.wait),
)
"""How a history may begin: one that never comes to a settlement shows little."""


def exposures_of(pool: Pool) -> Counter[str]:
    exposures: Counter[str] = Counter()
    for _, sold in pool.exposure.covers.sorted_items():
        if counts(pool.exposure, sold):
            exposures[sold.product] += sold.remaining_minor
    return exposures


def check(pool: Pool) -> None:
    """Every sum that is kept is the sum of what it is a sum of."""
    exposures = exposures_of(pool)
    assert pool.exposure.total_minor == sum(exposures.values())
    assert all(pool.exposure.products.get(name, 0) == exposures[name] for name in PRODUCTS)
    lapsing: dict[int, Counter[str]] = defaultdict(Counter)
    for _, sold in pool.exposure.covers.sorted_items():
        if counts(pool.exposure, sold) and not sold.live and sold.remaining_minor:
            lapsing[sold.lapses_at][sold.product] += sold.remaining_minor
    assert {due: dict(amounts.sorted_items()) for due, amounts in pool.exposure.lapsing.sorted_items()} == lapsing
    assert pool.exposure.lapses == tuple(sorted(lapsing))
    deferred = allocated = 0
    for name, incident in pool.incidents.sorted_items():
        live = [(claim, held) for claim, held in incident.claims.sorted_items() if held.status != "closed"]
        assert incident.reserved_minor == sum(held.amount_minor for _, held in live)
        assert incident.allocated_minor == sum(held.allocated_minor for _, held in live)
        assert incident.undecided == sum(held.status == "undecided" for _, held in live)
        assert all(held.allocated_minor <= held.amount_minor for _, held in live), "nobody gets more than owed"
        assert incident.freed_minor == 0
        if incident.stage == "open":
            covers = {claim: pool.exposure.covers[claim.rpartition("/")[0]] for claim, _ in live}
            assert incident.accounted_minor == sum(accounted(covers[claim], held) for claim, held in live)
        else:
            deferred += incident.unallocated_minor
            assert (name in pool.owing) == (incident.unallocated_minor > 0)
        assert (name in pool.unclosed) == (incident.stage != "closed")
        allocated += incident.allocated_minor
    assert pool.books.deferred == deferred
    to_claims = sum(amount for payout, amount in pool.booked.sorted_items() if not payout.startswith("pool:"))
    leaving = sum(amount for _, amount in pool.leaving.sorted_items())
    assert pool.books.payable == allocated - to_claims + leaving
    for of in TRANCHES:
        shares = tranche(pool, of)
        held = [pool.shares.get(f"{of}/{provider}") for provider in PROVIDERS]
        assert shares.shares_minor == sum(each.shares_minor for each in held if each and each.epoch == shares.epoch)
        assert shares.shares_minor or not value(pool.books, of), "capital is somebody's"


@pytest.mark.parametrize("prompt", [True, False])
@pytest.mark.parametrize("seed", range(30))
def test_books_and_sums__hold_after_every_event(seed: int, prompt: bool) -> None:
    world = World(seed, prompt=prompt)
    for _ in range(60):
        world.step()
    assert_snapshot_reads_back(Pool, world.state)
    world.finish()
    assert world.lines == world.distributed
    for name, claim in world.claims.items():
        held = world.state.incidents[claim.incident].claims.get(name)
        assert claim.asked == (held.allocated_minor if held and claim.status == "approved" else 0)
    assert world.state.books.payable == 0


@pytest.mark.parametrize("seed", range(30, 60))
def test_equal_claims__get_equal_shares_whatever_the_order(seed: int) -> None:
    """Those of an incident that were settled, and did not change after: they differ by one unit at most."""
    world = World(seed, prompt=True)
    for _ in range(60):
        world.step()
        check_equal(world)
    world.finish()
    check_equal(world)


def check_equal(world: World) -> None:
    for _, incident in world.state.incidents.sorted_items():
        if incident.stage == "open":
            continue
        shares: dict[int, set[int]] = defaultdict(set)
        for name, claim in incident.claims.sorted_items():
            if claim.status != "closed" and not world.claims[name].changed:
                shares[claim.amount_minor].add(claim.allocated_minor)
        for amount, allocated in shares.items():
            assert max(allocated) - min(allocated) <= 1, (amount, incident)


@pytest.mark.parametrize("seed", range(300))
def test_equal_claims__get_equal_shares_while_another_incident_takes_its_own(seed: int) -> None:
    """Two incidents at once, and just enough capital, or just too little, for what may come of them."""
    random = Random(seed)
    names = random.choices(("P", "Q"), k=random.randint(2, 7))
    pool = funded(0, 10_000, facts=WORLD, terms=WIDE)
    for number, name in enumerate(names, 1):
        pool.when(cover(10, name, transaction=f"0x{number}"), at=START)
    for name in ("P", "Q"):
        pool.when(decided(f"{name}/1", decided_at=START + 1), at=START + 1)
    pool = with_capital(pool, 0, 0, random.randint(0, 10 * len(names)))
    waiting = [(f"core.{number}/1", f"{name}/1") for number, name in enumerate(names, 1)]
    filed: list[tuple[str, str]] = []
    random.shuffle(waiting)
    while waiting or filed:
        if waiting and random.random() < 0.5:
            claim, incident = waiting.pop()
            if pool.state.incidents[incident].stage == "open":
                filed.append((claim, incident))
                pool.when(claimed(claim, 10, "undecided", incident), at=START + 1)
        elif filed:
            claim, incident = filed.pop(random.randrange(len(filed)))
            status = random.choice(("approved", "approved", "closed"))
            pool.when(claimed(claim, 10, status, incident), at=START + 1)  # type: ignore[arg-type]
        cut_offs = [deadline for deadline in pool.deadlines() if deadline.name.startswith("cut-off")]
        if cut_offs and random.random() < 0.1:
            pool.when(random.choice(cut_offs), at=START + CUT_OFF)
    while (first := pool.deadlines()[:1]) and first[0].name.startswith("cut-off"):
        pool.fire()
    check(pool.state)
    for _, incident in pool.state.incidents.sorted_items():
        shares = [claim.allocated_minor for _, claim in incident.claims.sorted_items() if claim.status != "closed"]
        assert max(shares, default=0) - min(shares, default=0) <= 1, incident


owed = st.lists(st.integers(0, 200) | st.integers(0, 2**128), max_size=30)


@given(owed, st.data())
def test_allocate__exact_bounded_and_blind_to_order(amounts: list[int], data: st.DataObject) -> None:
    claims = [Owed(f"core.{number}/1", amount) for number, amount in enumerate(amounts)]
    distributed = data.draw(st.integers(0, sum(amounts)))
    shares, cut = allocate(claims, distributed)
    assert sum(shares) == distributed
    assert all(0 <= part <= each.amount_minor for each, part in zip(claims, shares, strict=True))
    exact = [each.amount_minor * distributed / max(1, sum(amounts)) for each in claims]
    if sum(amounts) < 2**50:
        assert all(abs(part - ideal) < 1 for part, ideal in zip(shares, exact, strict=True))
    for each, part in zip(claims, shares, strict=True):
        for other, other_part in zip(claims, shares, strict=True):
            assert (
                part <= other_part + (each.amount_minor == other.amount_minor) or each.amount_minor > other.amount_minor
            )
    shuffled = data.draw(st.permutations(claims))
    assert dict(zip(shuffled, allocate(shuffled, distributed).amounts_minor, strict=True)) == dict(
        zip(claims, shares, strict=True)
    )
    assert [share(each, sum(amounts), distributed, cut) for each in claims] == shares
    assert cut is None or isinstance(cut, CutOff)


def test_histories__are_rich_enough() -> None:
    seen: Counter[str] = Counter()
    for seed in range(60, 90):
        world = World(seed, prompt=bool(seed % 2))
        for _ in range(60):
            world.step()
        world.finish()
        seen.update(world.seen)
    missing = {"ample", "cut-off", "freed", "income", "settlement.moved.v1", "covers.lapsed.v1"} - seen.keys()
    assert not missing, seen


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_allocate__one_unit_over_equal_claims_goes_to_the_first(count: int) -> None:
    claims = [Owed(f"core.{number}/1", 5) for number in range(count)]
    assert allocate(claims, 1).amounts_minor == [1] + [0] * (count - 1)
