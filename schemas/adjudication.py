"""Adjudication: cases, their stages and votes, rulings. Also what siblings send a case.

`stage` in an event is the stage's place in the procedure, counted from 0 (`claim.procedure.0`).
"""

from typing import Annotated, Literal

from pydantic import Field

from .envelope import Event, Input, InputTopic, Message, message
from .ids import (
    AccountId,
    CaseId,
    IncidentId,
    Name,
    PoolId,
    PrincipalId,
    ProductId,
    RulebookId,
    Subject,
    Text,
    case_key,
)
from .instants import Instant
from .money import AmountMinor
from .outcomes import NextStep
from .rulebook import Outcome

Choice = Literal["accept", "deny"]


@message("vote.cast.v1")
class CastVote(Input):
    """An assessor's vote in the open round of a case; `clause` is the wording clause it rests on."""

    case: CaseId
    assessor: AccountId
    choice: Choice
    clause: Annotated[str, Field(max_length=200)] = ""
    rationale: Annotated[str, Field(max_length=4000)] = ""

    def key(self) -> str:
        """Return the case's aggregate."""
        return case_key(self.case)

    def account(self) -> str:
        """Return the assessor."""
        return self.assessor


@message("case.recuse.v1")
class Recuse(Input):
    """An assessor who has not voted steps back from a case; it costs nothing."""

    case: CaseId
    assessor: AccountId
    reason: Annotated[str, Field(max_length=4000)] = ""

    def key(self) -> str:
        """Return the case's aggregate."""
        return case_key(self.case)

    def account(self) -> str:
        """Return the assessor."""
        return self.assessor


@message("case.open.v1")
class OpenCase(Message):
    """A sibling asks for a ruling on an incident or a claim; `amount_minor` is what is claimed, 0 for an incident.

    `product`, `incident` and `pool` say who else is party to it: holders of cover, providers of capital.
    """

    case: CaseId
    subject: Subject
    rulebook: RulebookId
    claimant: AccountId | None = None
    amount_minor: AmountMinor = 0
    product: ProductId | None = None
    incident: IncidentId | None = None
    pool: PoolId | None = None


@message("case.report.v1")
class AddReport(Message):
    """A report on the incident under decision."""

    case: CaseId
    producer: PrincipalId
    reference: Name


@message("case.reduce.v1")
class ReduceCase(Message):
    """The claimant asks for less."""

    case: CaseId
    amount_minor: AmountMinor


@message("case.withdraw.v1")
class WithdrawCase(Message):
    """The claimant withdrew; nothing is left to rule on."""

    case: CaseId


@message("case.opened.v1")
class CaseOpened(Event):
    """A case exists."""

    case: CaseId
    subject: Subject
    rulebook: RulebookId
    claimant: AccountId | None
    amount_minor: AmountMinor
    product: ProductId | None = None
    incident: IncidentId | None = None
    pool: PoolId | None = None


@message("case.reduced.v1")
class CaseReduced(Event):
    """Less is claimed than before."""

    amount_minor: AmountMinor


@message("case.withdrawn.v1")
class CaseWithdrawn(Event):
    """The case ends without a ruling."""


@message("case.halted.v1")
class CaseHalted(Event):
    """The product is halted in [effective_at, until): every window of the open stage ends later by as much.

    `closes_at` is when the stage closes now. An end of the halt before its time says this again, with an earlier
    `until`.
    """

    effective_at: Instant
    until: Instant
    closes_at: Instant


@message("corroboration.opened.v1")
class CorroborationOpened(Event):
    """Producers may corroborate until `closes_at`."""

    stage: int
    required_weight: int
    closes_at: Instant


@message("report.counted.v1")
class ReportCounted(Event):
    """A producer counts, once; `weight_sum` is what all of them weigh with it."""

    producer: PrincipalId
    reference: Name
    weight: int
    weight_sum: int


@message("corroboration.closed.v1")
class CorroborationClosed(Event):
    """Enough producers agreed, or the window closed without."""

    stage: int
    weight_sum: int
    required_weight: int
    outcome: Outcome


@message("ballot.opened.v1")
class BallotOpened(Event):
    """A round is open until `closes_at` (exclusive), or from `closes_early_at` on once everybody eligible has voted.

    `facts_version` is the state of assessors' profiles the electorate is taken from; the eligible sums are without
    excluded assessors; `cap_minor` is the largest weight one assessor can have.
    """

    stage: int
    round: int
    closes_at: Instant
    closes_early_at: Instant | None
    facts_version: int
    eligible_stake_minor: AmountMinor
    eligible_heads: int
    cap_minor: AmountMinor | None


@message("assessor.excluded.v1")
class AssessorExcluded(Event):
    """An assessor may not vote in this round, and why."""

    round: int
    assessor: AccountId
    reason: Text


@message("assessor.recused.v1")
class AssessorRecused(Event):
    """An assessor stepped back from this round; the eligible sums are those without it."""

    round: int
    assessor: AccountId
    reason: str
    eligible_stake_minor: AmountMinor
    eligible_heads: int
    next: NextStep | None = None


@message("vote.counted.v1")
class VoteCounted(Event):
    """A vote counts with `weight_minor`; `replaces` says that it took the place of an earlier one.

    The three sums are those after it.
    """

    round: int
    assessor: AccountId
    choice: Choice
    clause: str
    rationale: str
    stake_minor: AmountMinor
    weight_minor: AmountMinor
    replaces: bool
    accept_minor: AmountMinor
    deny_minor: AmountMinor
    next: NextStep | None = None


@message("ballot.closed.v1")
class BallotClosed(Event):
    """The round is counted; `rule` says which step of the count decided (empty, quorum, tie, agreement)."""

    stage: int
    round: int
    accept_minor: AmountMinor
    deny_minor: AmountMinor
    heads: int
    eligible_stake_minor: AmountMinor
    eligible_heads: int
    early: bool
    rule: Literal["empty", "quorum", "tie", "agreement"]
    outcome: Outcome


@message("cooldown.opened.v1")
class CooldownOpened(Event):
    """The ruling binds at `closes_at` unless something undoes it."""

    stage: int
    outcome: Outcome
    closes_at: Instant


@message("cooldown.closed.v1")
class CooldownClosed(Event):
    """Nothing undid the ruling."""

    stage: int


@message("case.ruled.v1")
class CaseRuled(Event):
    """The ruling: accept (as claimed), deny, or draw. Sent to the service that opened the case."""

    case: CaseId
    subject: Subject
    outcome: Outcome
    amount_minor: AmountMinor


@message("round.settled.v1")
class RoundSettled(Event):
    """After the final ruling: what votes of a round lost in all, and how the votes for the ruling share it.

    A winner's reward is its weight × `forfeited_minor` ÷ `winning_minor`, rounded down, and one unit more for the first
    `units` winners by remainder falling, then by account. Without a winner all goes to the treasury. `settled_at` is
    when: what does not fit into one event follows at the same instant.
    """

    case: CaseId
    round: int
    outcome: Outcome
    settled_at: Instant
    forfeited_minor: AmountMinor
    winning_minor: AmountMinor
    units: int
    treasury_minor: AmountMinor


class VoteLine(Message):
    """What one vote lost and won; `holds` says that a vote of the same assessor in a later round is still to come."""

    assessor: AccountId
    choice: Choice
    stake_minor: AmountMinor
    weight_minor: AmountMinor
    forfeit_minor: AmountMinor
    reward_minor: AmountMinor
    holds: bool = False


@message("votes.settled.v1")
class VotesSettled(Event):
    """Votes of a round by account, some hundreds an event; `more` says that further ones follow.

    Each is sent to its assessor, whose stake this vote locks no more.
    """

    case: CaseId
    round: int
    lines: tuple[VoteLine, ...]
    more: bool


VOTES = InputTopic("assessor.votes", (CastVote,))
CASE_ACTIONS = InputTopic("case.actions", (Recuse,))
