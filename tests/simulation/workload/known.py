"""What an outsider knows: what the logs and the topics for outsiders say, read as anybody can read them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from schemas.adjudication import (
    AssessorExcluded,
    AssessorRecused,
    BallotClosed,
    BallotOpened,
    CaseOpened,
    CaseRuled,
    CaseWithdrawn,
    VoteCounted,
)
from schemas.assessors import AssessorProfiled, StakeAdded, StakeWithdrawalRequested, StakeWithdrawn
from schemas.claims import (
    ClaimApproved,
    ClaimDenied,
    ClaimDrawn,
    ClaimFiled,
    ClaimPaid,
    ClaimReduced,
    ClaimWithdrawn,
    CoverRegistered,
)
from schemas.envelope import Message, Record, decode
from schemas.governance import (
    HaltRequested,
    ProductHalted,
    ProductListed,
    ProductOpened,
    RulebookPublished,
    StakeTermsSet,
)
from schemas.incidents import IncidentDecided, IncidentOpened
from schemas.outcomes import InputOutcome, PayoutInstruction
from schemas.payouts import PayoutConfirmed, PayoutFailed, PayoutSuspended
from schemas.pools import (
    CapitalDeposited,
    CapitalWithdrawalRequested,
    CapitalWithdrawn,
    CoverSold,
    PoolOpened,
    PoolTerms,
    PoolTermsChanged,
)
from schemas.rulebook import Rulebook
from schemas.topics import INSTRUCTIONS, OUTCOMES, SERVICES
from tests.simulation.entries import Entry, read_entry
from tests.simulation.world import Place, World

_DUES = (
    "closes_at",
    "closes_early_at",
    "receipt_due_at",
    "retry_at",
    "cut_off_at",
    "available_at",
    "effective_at",
    "until",
    "expires_at",
)
LOGS = tuple(f"{service}.events" for service in SERVICES)


@dataclass(slots=True)
class Incident:
    product: str
    occurred_at: int
    status: str = "open"
    decided_at: int = 0


@dataclass(slots=True)
class Claim:
    filed: ClaimFiled
    amount_minor: int
    status: str = "filed"


@dataclass(slots=True)
class Case:
    """`status` is voting while a round is open, over at the end; `voted` who did in any round, `barred` who may not."""

    claimant: str | None
    status: Literal["waiting", "voting", "over"] = "waiting"
    voted: dict[str, VoteCounted] = field(default_factory=dict)
    barred: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Stake:
    """What an assessor has at stake, and from when on what it asked for can leave."""

    amount_minor: int = 0
    available_at: int | None = None


@dataclass(slots=True)
class Shares:
    """What a provider has of a tranche, and from when on what it asked for can leave."""

    held_minor: int = 0
    available_at: int | None = None


@dataclass(slots=True)
class Pool:
    """What a pool sells, its capital, and roughly what it sold."""

    asset: str
    terms: PoolTerms
    capital_minor: int = 0
    sold_minor: int = 0
    deferred_minor: int = 0


@dataclass(slots=True)
class Payout:
    """`status` is the last thing that the executor heard of it."""

    instruction: PayoutInstruction
    status: Literal["instructed", "failed", "suspended", "confirmed"] = "instructed"


@dataclass(slots=True)
class Known:
    """Everything by its id; `dues` are instants at which something ends, soonest first or not."""

    rulebooks: dict[str, Rulebook] = field(default_factory=dict)
    products: dict[str, ProductListed] = field(default_factory=dict)
    assessors: dict[str, AssessorProfiled] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    covers: dict[str, CoverRegistered] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    payouts: dict[str, Payout] = field(default_factory=dict)
    stake_terms: StakeTermsSet | None = None
    stakes: dict[str, Stake] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    shares: dict[tuple[str, str, str], Shares] = field(default_factory=dict)
    halts_asked: dict[str, HaltRequested] = field(default_factory=dict)
    halted_until: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, InputOutcome] = field(default_factory=dict)
    dues: list[int] = field(default_factory=list)
    _read: dict[Place, int] = field(default_factory=dict)

    def read_on(self, world: World) -> tuple[list[InputOutcome], list[PayoutInstruction]]:
        """Read what became visible since; return the outcomes and instructions that are new."""
        places = [(log, number) for log in LOGS for number in range(world.partitions)]
        for record in self._records(world, places):
            entry = read_entry(record)
            self._fold(entry)
            self._note_due(entry.content)
        outcomes, instructions = [], []
        for content in self._contents(world, OUTCOMES):
            if isinstance(content, InputOutcome) and content.position not in self.outcomes:
                self.outcomes[content.position] = content
                outcomes.append(content)
        for content in self._contents(world, INSTRUCTIONS):
            assert isinstance(content, PayoutInstruction)
            known = self.payouts.get(content.reference)
            if known is None or known.instruction.attempt < content.attempt:
                self.payouts[content.reference] = Payout(content)
                instructions.append(content)
        return outcomes, instructions

    def _records(self, world: World, places: list[Place]) -> Iterator[Record]:
        for place in places:
            records = world.seen(*place, self._read.get(place, 1))
            if records:
                self._read[place] = records[-1].offset + 1
                yield from records

    def _contents(self, world: World, topic: str) -> Iterator[Message]:
        for record in self._records(world, [(topic, number) for number in range(world.partitions)]):
            yield decode(dict(record.headers)["ce_type"].decode(), record.value or b"")

    def _note_due(self, event: Message) -> None:
        for name in _DUES:
            due = getattr(event, name, None)
            if due is not None:
                self.dues.append(due)

    def _fold(self, entry: Entry) -> None:
        match entry.content:
            case RulebookPublished(rulebook=rulebook):
                self.rulebooks[rulebook.id] = rulebook
            case ProductListed() as event:
                self.products[event.product] = event
            case AssessorProfiled() as event:
                self.assessors[event.assessor] = event
            case IncidentOpened() as event:
                self.incidents[event.incident] = Incident(event.product, event.occurred_at)
            case IncidentDecided() as event:
                self.incidents[event.incident].status = event.status
                self.incidents[event.incident].decided_at = event.decided_at
            case CoverRegistered() as event:
                self.covers[event.cover] = event
            case ClaimFiled() as event:
                self.claims[event.claim] = Claim(event, event.amount_minor)
            case ClaimReduced() as event:
                self.claims[event.claim].amount_minor = event.amount_minor
            case (ClaimWithdrawn() | ClaimDenied() | ClaimDrawn() | ClaimApproved() | ClaimPaid()) as event:
                self.claims[event.claim].status = event.wire.split(".")[1]
            case _:
                self._fold_case(entry)

    def _fold_case(self, entry: Entry) -> None:
        case = self.cases.get(entry.key.removeprefix("case/"))
        match entry.content:
            case CaseOpened() as event:
                self.cases[event.case] = Case(event.claimant)
            case BallotOpened() if case:
                case.status = "voting"
            case VoteCounted() as event if case:
                case.voted[event.assessor] = event
            case (AssessorExcluded() | AssessorRecused()) as event if case:
                case.barred.add(event.assessor)
            case BallotClosed() if case:
                case.status = "waiting"
            case CaseRuled() | CaseWithdrawn() if case:
                case.status = "over"
            case (PayoutFailed() | PayoutSuspended() | PayoutConfirmed()) as event if event.payout in self.payouts:
                self.payouts[event.payout].status = event.wire.split(".")[1]  # type: ignore[assignment]
            case _:
                self._fold_governance(entry.content)
                self._fold_money(entry.content)

    def _fold_governance(self, event: Message) -> None:
        match event:
            case StakeTermsSet():
                self.stake_terms = event
            case HaltRequested():
                self.halts_asked[event.product] = event
            case ProductHalted() | ProductOpened():
                self.halts_asked.pop(event.product, None)
                self.halted_until[event.product] = event.until
            case _:
                pass

    def _fold_money(self, event: Message) -> None:
        self._fold_stake(event)
        match event:
            case PoolOpened():
                self.pools[event.pool] = Pool(event.asset, event.terms)
            case PoolTermsChanged():
                self.pools[event.pool].terms = event.terms
            case CapitalDeposited():
                self._shares(event).held_minor += event.shares_minor
            case CapitalWithdrawalRequested():
                self._shares(event).available_at = event.available_at
            case CapitalWithdrawn():
                shares = self._shares(event)
                shares.held_minor, shares.available_at = shares.held_minor - event.shares_minor, None
            case CoverSold():
                self.pools[event.pool].sold_minor += event.amount_minor
            case _:
                pass
        for posting in getattr(event, "postings", ()):
            pool = self.pools[getattr(event, "pool")]  # noqa: B009 - whatever has postings has a pool
            if posting.account.startswith("capital"):
                pool.capital_minor -= int(posting.amount_minor)
            elif posting.account == "deferred":
                pool.deferred_minor -= int(posting.amount_minor)

    def _shares(self, event: CapitalDeposited | CapitalWithdrawalRequested | CapitalWithdrawn) -> Shares:
        return self.shares.setdefault((event.pool, event.provider, event.tranche), Shares())

    def _fold_stake(self, event: Message) -> None:
        match event:
            case StakeAdded():
                self.stakes.setdefault(event.assessor, Stake()).amount_minor = event.stake_minor
            case StakeWithdrawalRequested():
                self.stakes[event.assessor].available_at = event.available_at
            case StakeWithdrawn():
                self.stakes[event.assessor] = Stake(event.stake_minor)
            case _:
                pass
