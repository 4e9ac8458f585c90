"""Laws of stakes over random histories of assessors and of the cases they vote in, in several partitions.

Stake is conserved for each assessor, what a round takes is what it gives and hands to the treasury, and nobody leaves
while a case they voted in can still take from them (product.md section 13, laws 3 and 4). Messages between the two
services wait in queues, each in order, and any of them may be slow.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.adjudication import (
    BallotOpened,
    CastVote,
    Choice,
    OpenCase,
    Recuse,
    RoundSettled,
    VoteCounted,
    VotesSettled,
    WithdrawCase,
)
from schemas.allocation import Weight, allocate, share
from schemas.assessors import (
    AddStake,
    LocksAnswered,
    RegisterAssessor,
    RequestStakeWithdrawal,
    SettleVote,
    StakeAdded,
    StakeSettled,
    StakeWithdrawalAnnounced,
    StakeWithdrawn,
    WithdrawStake,
)
from schemas.envelope import Event, Message
from schemas.governance import RulebookPublished, StakeTermsSet
from schemas.instants import DAY, SECOND
from schemas.rulebook import (
    Agreement,
    Ballot,
    ClaimRules,
    Cooldown,
    Incentives,
    IncidentRules,
    Intake,
    PayoutTerms,
    Quorum,
    Rulebook,
    Stage,
    StakedElectorate,
    StakeWeight,
)
from services.adjudication.service import SERVICE as ADJUDICATION
from services.assessors.service import SERVICE as ASSESSORS
from services.kernel.decider import BROADCAST, Deadline, Decided, DecisionService, Received, Refused

START = 20_000 * DAY
NOTICE = DAY // 4
ACCOUNTS = tuple(f"eip155:1:0x{number:040x}" for number in range(1, 4))
CASES = tuple(f"claim/C-{number}/1" for number in range(3))
TERMS = PayoutTerms(first_retry=SECOND, multiplier=2, longest_retry=DAY, attempts_max=3, receipt_within=DAY)
ASSET = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"


class Put(NamedTuple):
    """A public input."""

    content: Message


class Tell(NamedTuple):
    """A message of claims to a case."""

    content: Message


class Deliver(NamedTuple):
    """The first waiting message of one queue, by number."""

    queue: int


class Tick(NamedTuple):
    """Time passes, and what falls due fires."""

    milliseconds: int


Step = Put | Tell | Deliver | Tick


def ballot(incentives: Incentives | None, at: str) -> Ballot:
    return Ballot.model_validate(
        {
            "stage": "ballot",
            "electorate": StakedElectorate(kind="staked"),
            "weight": StakeWeight.model_validate({"kind": "stake", "at": at, "cap_bps": 6_000}),
            "secrecy": "open",
            "window": DAY,
            "end_inclusive": False,
            "quorum": Quorum(of="eligible-stake", share_bps=0, comparison="at-least"),
            "agreement": Agreement(of="cast", share_bps=5_000, comparison="more-than"),
            "tie": "draw",
            "empty": "deny",
            "unresolved": "deny",
            "revote": "replaces",
            "excluded": ("claimant",),
            "clause_required": False,
            "incentives": incentives,
        }
    )


INCENTIVES = st.none() | st.builds(
    Incentives, wrong_bps=st.sampled_from([10, 3_333, 10_000, 10_000]), spare_reasoned=st.booleans()
)
BALLOTS = st.builds(ballot, INCENTIVES, st.sampled_from(["opening", "vote"]))
COOLDOWN = Cooldown(stage="cooldown", length=DAY)
PROCEDURES = st.one_of(st.tuples(BALLOTS), st.tuples(BALLOTS, BALLOTS), st.tuples(BALLOTS, st.just(COOLDOWN), BALLOTS))


def rulebook(procedure: Sequence[Stage]) -> Rulebook:
    return Rulebook(
        name="example",
        version=1,
        title="An example",
        incident=IncidentRules(join_window=0, report_within=0, procedure=tuple(procedure)),
        claim=ClaimRules(
            intake=Intake(waiting_period=0, grace=0, not_before=0, expiry_inclusive=False, grace_inclusive=False),
            procedure=tuple(procedure),
            payout=TERMS,
        ),
    )


ASSESSOR = st.sampled_from(ACCOUNTS)
CASE = st.sampled_from(CASES)
CHOICES: st.SearchStrategy[Choice] = st.sampled_from(["accept", "deny"])
AMOUNTS = st.integers(1, 1_000) | st.integers(1, 10)


@st.composite
def leavings(draw: st.DrawFn) -> list[Step]:
    """Draw a withdrawal with votes around it; its announcement may be heard between."""
    assessor = draw(ASSESSOR)
    votes = [Put(CastVote(case=draw(CASE), assessor=assessor, choice=draw(CHOICES), rationale="")) for _ in range(3)]
    heard: list[Step] = [Deliver(draw(st.integers(0, 2))) for _ in range(draw(st.integers(0, 6)))]
    return [
        *votes[: draw(st.integers(0, 2))],
        Put(RequestStakeWithdrawal(assessor=assessor, amount_minor=draw(AMOUNTS))),
        Tick(NOTICE),
        Put(WithdrawStake(assessor=assessor)),
        *heard,
        *votes[draw(st.integers(1, 3)) :],
    ]


PUTS = st.one_of(
    st.builds(CastVote, case=CASE, assessor=ASSESSOR, choice=CHOICES, rationale=st.sampled_from(["", "", "seen"])),
    st.builds(CastVote, case=CASE, assessor=ASSESSOR, choice=CHOICES),
    st.builds(Recuse, case=CASE, assessor=ASSESSOR),
    st.builds(
        AddStake, assessor=ASSESSOR, amount_minor=AMOUNTS, transaction=st.integers(1, 10**6).map(lambda n: f"0x{n}")
    ),
).map(lambda content: [Put(content)])
DELIVERIES = st.builds(Deliver, st.integers(0, 7)).map(lambda step: [step])
STEPS: st.SearchStrategy[list[Step]] = st.one_of(
    PUTS,
    PUTS,
    leavings(),
    DELIVERIES,
    DELIVERIES,
    CASE.map(lambda case: [Tell(opening(case))]),
    st.sampled_from([1, NOTICE, DAY]).map(lambda milliseconds: [Tick(milliseconds)]),
    CASE.map(lambda case: [Tell(WithdrawCase(case=case))]),
)
HISTORIES = st.lists(STEPS, min_size=20, max_size=50).map(lambda parts: [step for part in parts for step in part])


def opening(case: str) -> OpenCase:
    return OpenCase(case=case, subject="claim", rulebook="example@1", claimant=None, amount_minor=1)


class Partition:
    """States and facts of one partition of a service."""

    def __init__(self, service: DecisionService[Any], index: int, count: int) -> None:
        self.service, self.index, self.count = service, index, count
        self.facts = service.facts.initial()
        self.states: dict[str, Any] = {}

    def note(self, fact: Message) -> None:
        self.facts = self.service.facts.evolve(self.facts, fact)

    def decide(self, key: str, content: Message | Deadline, now: int) -> list[Event]:
        decider = self.service.deciders[key.partition("/")[0]]
        state = self.states.get(key, decider.initial(key))
        wire = "deadline" if isinstance(content, Deadline) else content.wire
        received = Received("", wire, key, now, now, "", None, "", content, self.index, self.count)
        events = [event for event in decider.decide(state, self.facts, received) if not isinstance(event, Refused)]
        for event in events:
            state = decider.evolve(state, event)
            if type(event) in getattr(self.service.facts, "own", ()):
                self.facts = self.service.facts.evolve_own(self.facts, key, event)  # type: ignore[attr-defined]
        if events:
            self.states[key] = state
        again = decider.decide(state, self.facts, received)
        assert all(isinstance(event, Refused) for event in again), f"{content}, decided twice, causes {again}"
        return events

    def due(self, until: int) -> tuple[int, str, Deadline] | None:
        """Return the soonest deadline that is due."""
        listed = [
            (deadline.due, key, deadline)
            for key, state in self.states.items()
            for deadline in self.service.deciders[key.partition("/")[0]].deadlines(state, self.facts)
            if deadline.due <= until
        ]
        return min(listed, default=None)


class World:
    """One partition of assessors, several that count votes, and what is known of every stake from the events alone."""

    def __init__(self, procedure: Sequence[Stage], partitions: int) -> None:
        self.procedure = procedure
        self.now = START
        self.assessors = Partition(ASSESSORS, 0, 1)
        self.counting = [Partition(ADJUDICATION, index, partitions) for index in range(partitions)]
        self.queues: list[deque[tuple[str, Message]]] = [deque() for _ in range(2 * partitions)]
        self.assessors.note(StakeTermsSet(asset=ASSET, stake_min_minor=1, notice=NOTICE, payout=TERMS))
        for partition in self.counting:
            partition.note(RulebookPublished(rulebook=rulebook(procedure), sha256="0" * 64))
        self.balance: Counter[str] = Counter()
        self.open_votes: dict[str, set[str]] = defaultdict(set)
        self.waiting: dict[str, Counter[str]] = defaultdict(Counter)
        self.held: dict[tuple[str, int], set[str]] = defaultdict(set)
        self.left: dict[str, dict[str, int]] = {}
        self.frozen: dict[str, bool] = {}
        self.rounds: dict[tuple[str, int], RoundSettled] = {}
        self.given: Counter[tuple[str, int]] = Counter()
        self.taken: Counter[tuple[str, int]] = Counter()

    def take(self, step: Step) -> None:
        match step:
            case Put(content=CastVote() | Recuse() as content) | Tell(content=content):
                self._count(self._home(content.case), f"case/{content.case}", content)  # type: ignore[attr-defined]
            case Put(content=content):
                self._assess(content.key(), content)  # type: ignore[attr-defined]
            case Deliver(queue=number):
                self._deliver(number % len(self.queues))
            case Tick(milliseconds=milliseconds):
                self._pass_time(self.now + milliseconds)

    def deliver_all(self) -> None:
        """Deliver what waits, until nothing does."""
        while any(self.queues):
            for number in range(len(self.queues)):
                self._deliver(number)

    def settle(self) -> None:
        """Deliver and fire all there is."""
        for _ in range(20):
            self.deliver_all()
            self._pass_time(self.now + DAY)

    def _home(self, case: str) -> int:
        return CASES.index(case) % len(self.counting)

    def _deliver(self, number: int) -> None:
        if not self.queues[number]:
            return
        key, content = self.queues[number].popleft()
        half = len(self.counting)
        if number >= half:
            self._assess(key, content)
        elif key == BROADCAST:
            self.counting[number].note(content)
            if isinstance(content, StakeWithdrawalAnnounced):
                self._leave(number, content)
        else:
            self._count(number, f"{key.removeprefix(BROADCAST)}/{number}", content)

    def _leave(self, index: int, announced: StakeWithdrawalAnnounced) -> None:
        """From here on nobody votes with what left, in no round of this partition that weighs its opening."""
        for case, left in self.left.items():
            if self._home(case) == index and self.frozen[case]:
                left[announced.assessor] = min(announced.stake_minor, left.get(announced.assessor, 10**9))

    def _pass_time(self, until: int) -> None:
        for index, partition in enumerate(self.counting):
            while (due := partition.due(until)) is not None:
                self.now = max(self.now, due[0])
                self._count(index, due[1], due[2])
        self.now = until

    def _assess(self, key: str, content: Message) -> None:
        if isinstance(content, SettleVote):
            self.waiting[content.assessor][content.case] -= 1
        for number, event in enumerate(self.assessors.decide(key, content, self.now), start=1):
            self._stake(event)
            for send in ASSESSORS.route(Decided(key, number, self.now, event)):
                if send.receiver == "adjudication":
                    for index in range(len(self.counting)):
                        self.queues[index].append((send.key, send.content))

    def _count(self, index: int, key: str, content: Message | Deadline) -> None:
        for number, event in enumerate(self.counting[index].decide(key, content, self.now), start=1):
            self._vote(index, key.removeprefix("case/"), event)
            for send in ADJUDICATION.route(Decided(key, number, self.now, event)):
                if send.receiver == "assessors":
                    self.queues[len(self.counting) + index].append((send.key, send.content))

    def _stake(self, event: Event) -> None:
        """Keep the balance of every assessor, and hold a withdrawal against what its votes can still cost."""
        match event:
            case StakeAdded():
                self.balance[event.assessor] += event.amount_minor
            case StakeSettled():
                self.balance[event.assessor] += event.reward_minor - event.forfeited_minor
                assert event.stake_minor == self.balance[event.assessor]
            case StakeWithdrawn():
                held = self.held.pop((event.assessor, event.withdrawal), set())
                assert not held & self.open_votes[event.assessor], f"{event} leaves before {held} are settled"
                assert not any(self.waiting[event.assessor][case] for case in held), f"{event} does not wait for {held}"
                self.balance[event.assessor] -= event.amount_minor
                assert event.stake_minor == self.balance[event.assessor]
                assert (event.payout is None) == (event.amount_minor == 0)
            case _:
                pass

    def _vote(self, index: int, case: str, event: Event) -> None:
        match event:
            case VoteCounted():
                self.open_votes[event.assessor].add(case)
                assert event.stake_minor <= self.left[case].get(event.assessor, 10**9), f"{event} weighs what left"
            case BallotOpened():
                rules = self.procedure[event.stage]
                self.left[case] = {}
                self.frozen[case] = isinstance(rules, Ballot) and rules.weight.at == "opening"
            case LocksAnswered():
                self.held[event.assessor, event.withdrawal] |= set(event.cases)
                mine = {case for case in self.open_votes[event.assessor] if self._home(case) == index}
                assert set(event.cases) == mine, f"{event} answers for {mine}"
            case RoundSettled():
                self.rounds[event.case, event.round] = event
            case VotesSettled():
                for line in event.lines:
                    self.given[event.case, event.round] += line.reward_minor
                    self.taken[event.case, event.round] += line.forfeit_minor
                    self.waiting[line.assessor][event.case] += 1
                    if not line.holds:
                        self.open_votes[line.assessor].discard(event.case)
            case _:
                pass


@settings(max_examples=100, derandomize=True, database=None, deadline=None)
@given(PROCEDURES, st.integers(1, 3), st.lists(AMOUNTS, min_size=3, max_size=3), HISTORIES)
def test_stake_is_conserved_and_leaves_only_when_nothing_can_take_from_it(
    procedure: Sequence[Stage], partitions: int, stakes: list[int], steps: list[Step]
) -> None:
    world = World(procedure, partitions)
    for account, amount_minor in zip(ACCOUNTS, stakes, strict=True):
        world.take(Put(RegisterAssessor(assessor=account)))
        world.take(Put(AddStake(assessor=account, amount_minor=amount_minor, transaction="0x0")))
    world.deliver_all()
    for case in CASES[:2]:
        world.take(Tell(opening(case)))
    for step in steps:
        world.take(step)
    world.settle()
    for account in ACCOUNTS:
        state = world.assessors.states[f"assessor/{account}"]
        assert state.stake_minor == world.balance[account]
        assert state.leaving is None or not state.leaving.announced, "nothing holds it, but it does not leave"
        assert not world.open_votes[account]
    for key, settled in world.rounds.items():
        assert world.taken[key] == settled.forfeited_minor == world.given[key] + settled.treasury_minor


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(st.lists(st.integers(0, 10**40), max_size=30), st.integers(0, 10**30))
def test_rewards_share_out_what_was_taken_to_the_last_unit(weights: list[int], forfeited_minor: int) -> None:
    winners = [Weight(f"account-{number:02}", weight) for number, weight in enumerate(weights)]
    winning_minor = sum(weights)
    rewards, cut = allocate(winners, forfeited_minor)
    assert rewards == [share(winner, winning_minor, forfeited_minor, cut) for winner in winners]
    assert sum(rewards) == (forfeited_minor if winning_minor else 0)
    for (_, weight), amount_minor in zip(winners, rewards, strict=True):
        if winning_minor:
            assert amount_minor - weight * forfeited_minor // winning_minor in (0, 1)
