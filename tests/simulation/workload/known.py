"""What an outsider knows: what the logs and the topics for outsiders say, read as anybody can read them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from schemas.adjudication import BallotClosed, BallotOpened, CaseOpened, CaseRuled, CaseWithdrawn, VoteCounted
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
from schemas.governance import AssessorProfiled, ProductListed, RulebookPublished
from schemas.incidents import IncidentDecided, IncidentOpened
from schemas.outcomes import InputOutcome, PayoutInstruction
from schemas.payouts import PayoutConfirmed, PayoutFailed, PayoutSuspended
from schemas.rulebook import Rulebook
from schemas.topics import INSTRUCTIONS, OUTCOMES, SERVICES
from tests.simulation.entries import Entry, read_entry
from tests.simulation.world import Place, World

LOGS = tuple(f"{service}.events" for service in SERVICES)


@dataclass(slots=True)
class Incident:
    product: str
    occurred_at: int
    status: str = "open"


@dataclass(slots=True)
class Claim:
    filed: ClaimFiled
    amount_minor: int
    status: str = "filed"


@dataclass(slots=True)
class Case:
    """`status` is voting while a round is open, over at the end; `voted` who did in any round."""

    claimant: str | None
    status: Literal["waiting", "voting", "over"] = "waiting"
    voted: dict[str, VoteCounted] = field(default_factory=dict)


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
        for name in ("closes_at", "closes_early_at", "receipt_due_at", "retry_at"):
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
            case BallotClosed() if case:
                case.status = "waiting"
            case CaseRuled() | CaseWithdrawn() if case:
                case.status = "over"
            case (PayoutFailed() | PayoutSuspended() | PayoutConfirmed()) as event if event.payout in self.payouts:
                self.payouts[event.payout].status = event.wire.split(".")[1]  # type: ignore[assignment]
            case _:
                pass
