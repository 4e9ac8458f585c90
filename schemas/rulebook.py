"""The rulebook: an immutable version `name@n` of everything that decides.

Procedures are lists of stages (product.md section 3). Every comparison says whether it is strict, what a tie and an
empty vote do, and whether an end is inclusive; none of these has a default, because the anchors differ on each
(anchors.md section 1.18). A window is half-open, [start, end), unless its rule says otherwise.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .envelope import Message
from .ids import GroupId, Name, PrincipalId, Text
from .instants import Duration
from .money import BasisPoints

Outcome = Literal["accept", "deny", "draw"]
Comparison = Literal["more-than", "at-least"]


class Threshold(Message):
    """A share of something that has to be exceeded (`more-than`) or reached (`at-least`)."""

    share_bps: BasisPoints
    comparison: Comparison

    def met(self, part: int, whole: int) -> bool:
        """Tell whether `part` of `whole` meets it, exactly, without dividing."""
        have, need = part * 10_000, whole * self.share_bps
        return have > need if self.comparison == "more-than" else have >= need


class Corroboration(Message):
    """k producers agree within a window (house, section 6 of anchors.md: three distinct ones, or a trusted one).

    A producer counts once with its weight (`default_weight` unless listed); the stage accepts as soon as the weights
    reach `required_weight`, and otherwise ends with `unmet` when the window closes.
    """

    stage: Literal["corroboration"]
    required_weight: Annotated[int, Field(ge=1)]
    default_weight: Annotated[int, Field(ge=0)] = 1
    weights: dict[PrincipalId, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    window: Duration
    unmet: Outcome

    def weight(self, producer: str) -> int:
        """Return what a producer weighs."""
        return self.weights.get(producer, self.default_weight)


class StakedElectorate(Message):
    """Every assessor with stake."""

    kind: Literal["staked"]


class StakeWeight(Message):
    """Weight is stake, as it was when the round opened or is when the vote is cast.

    It is capped at a share of the eligible stake before capping (insurace and house: 5 %).
    """

    kind: Literal["stake"]
    at: Literal["opening", "vote"]
    cap_bps: BasisPoints | None = None


class Quorum(Threshold):
    """Turnout that is needed: cast weight (heads) of the eligible weight (heads)."""

    of: Literal["eligible-stake", "eligible-heads"]


class Agreement(Threshold):
    """What accepting needs: accepting weight of the weight cast, or of all eligible weight."""

    of: Literal["cast", "eligible-stake"]


class EarlyClose(Message):
    """Closes before its end once everybody eligible has voted, but not before `after` has passed."""

    when: Literal["all-voted"]
    after: Duration


class Incentives(Message):
    """What a vote wins and loses, measured against the final ruling once no stage is left (anchors.md section 6).

    A vote against the ruling loses `wrong_bps` of the stake it was cast with; `spare_reasoned` spares one that has a
    rationale. What is lost goes to the votes for the ruling, by weight, by largest remainder (ties by account); what
    nobody can win goes to the treasury. A draw takes and gives nothing.
    """

    wrong_bps: BasisPoints
    spare_reasoned: bool


class Ballot(Message):
    """One vote, open and stake-weighted.

    Order of counting: no vote at all → `empty`; quorum not met → `unresolved`; as much for as against → `tie`;
    agreement met → accept; otherwise deny. `excluded` lists who may not vote: the claimant and linked accounts, holders
    of cover that the same incident touches, providers of more than `provider_share_bps` of the pool's capital, and
    those who declared an interest in the product (product.md section 4). `incentives` say what votes win and lose once
    the case is over; without, nothing. `revote` says whether a later vote of the same assessor replaces the
    earlier one or is refused. `end_inclusive` says whether a vote stamped exactly at the end counts.
    """

    stage: Literal["ballot"]
    electorate: StakedElectorate
    weight: StakeWeight
    secrecy: Literal["open"]
    window: Duration
    end_inclusive: bool
    early_close: EarlyClose | None = None
    quorum: Quorum
    agreement: Agreement
    tie: Outcome
    empty: Outcome
    unresolved: Outcome
    revote: Literal["refused", "replaces"]
    excluded: tuple[Literal["claimant", "holders", "providers", "interested"], ...]
    provider_share_bps: BasisPoints = 0
    incentives: Incentives | None = None
    clause_required: bool = True


class Cooldown(Message):
    """A pause before a ruling binds."""

    stage: Literal["cooldown"]
    length: Duration


Stage = Annotated[Corroboration | Ballot | Cooldown, Field(discriminator="stage")]


class IncidentRules(Message):
    """How incidents are joined and confirmed.

    A report joins an incident of its product whose event lies at most `join_window` away, on either side (inclusive).
    A report may name an event at most `report_within` before its arrival. From the first credible report until the
    incident is decided, but no longer than `alarm`, its pool sells no cover of the product and lets no capital go.
    """

    join_window: Duration
    report_within: Duration
    alarm: Duration | None = None
    procedure: Annotated[tuple[Stage, ...], Field(min_length=1)]

    @property
    def corroboration(self) -> Corroboration | None:
        """The first stage that weighs producers, if there is one."""
        return next((stage for stage in self.procedure if isinstance(stage, Corroboration)), None)


class Intake(Message):
    """What a filing must fulfil.

    The cover is active at the incident's time from its start plus `waiting_period` (inclusive) to its expiry
    (`expiry_inclusive` says whether that instant is covered); a claim may be filed from `not_before` after the
    incident (inclusive) until `grace` after expiry (`grace_inclusive`).
    """

    waiting_period: Duration
    grace: Duration
    not_before: Duration
    expiry_inclusive: bool
    grace_inclusive: bool
    evidence_max: Annotated[int, Field(ge=0, le=64)] = 16


class PayoutTerms(Message):
    """Attempts of a transfer.

    The wait before attempt n + 1 is `first_retry` × `multiplier`^(n - 1), at most `longest_retry`.

    After `attempts_max` failed attempts, or when no receipt came `receipt_within` after an instruction, the payout is
    suspended for an operator (nexus-v1: 24 h × 60, then the claim counted as denied, which we do not copy).
    """

    first_retry: Duration
    multiplier: Annotated[int, Field(ge=1, le=10)]
    longest_retry: Duration
    attempts_max: Annotated[int, Field(ge=1, le=100)]
    receipt_within: Duration


class Settlement(Message):
    """How the claims of one incident are paid out of a pool (product.md section 6).

    A claim may be filed until `cut_off` after the incident was confirmed (exclusive). What is approved is paid at once
    where capital bears everything the incident can still bring. Otherwise all claims are settled together, at the
    cut-off or as soon as all that can come are decided, each at the same share.
    """

    cut_off: Duration


class HaltRules(Message):
    """Who may halt a product, and for how long; windows do not run meanwhile (anchors.md section 6: two-person halt).

    `persons` different members of `group` (or root) have to ask for it within `confirm_within` of the first. It takes
    effect `notice` after the last of them, for at most `length_max`.
    """

    group: GroupId
    persons: Annotated[int, Field(ge=1, le=10)]
    length_max: Duration
    notice: Duration
    confirm_within: Duration


class ClaimRules(Message):
    """How claims are taken in, decided and paid; without `settlement` for covers whose pool is kept elsewhere only."""

    intake: Intake
    settlement: Settlement | None = None
    procedure: Annotated[tuple[Stage, ...], Field(min_length=1)]
    payout: PayoutTerms


class Rulebook(Message):
    """One version of a rulebook."""

    name: Name
    version: Annotated[int, Field(ge=1, le=999_999_999)]
    title: Text
    incident: IncidentRules
    claim: ClaimRules
    halt: HaltRules | None = None

    @property
    def id(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"

    @model_validator(mode="after")
    def _decides(self) -> Self:
        problems = [*_procedure_problems(self), *_halt_problems(self.halt)]
        if problems:
            raise ValueError("\n".join(problems))
        return self


def _procedure_problems(rulebook: Rulebook) -> Iterator[str]:
    """Say what is wrong with procedures over several of their parts, with its path first."""
    for name, procedure in (("incident", rulebook.incident.procedure), ("claim", rulebook.claim.procedure)):
        if isinstance(procedure[0], Cooldown):
            yield f"{name}.procedure: begins with a cooldown; begin with a stage that decides"
        for position, stage in enumerate(procedure):
            if name == "claim" and isinstance(stage, Corroboration):
                yield f"{name}.procedure.{position}: corroboration counts reports, which only an incident has"
    if rulebook.incident.alarm is not None and rulebook.incident.corroboration is None:
        yield "incident.alarm: a report is credible by its weight in a corroboration; add that stage, or leave it out"


def _halt_problems(halt: HaltRules | None) -> Iterator[str]:
    """Say what would keep a product from ever being halted."""
    if halt is not None and not halt.length_max:
        yield "halt.length_max: 0s: must be at least 1s; without [halt] nobody halts"
    if halt is not None and halt.persons > 1 and not halt.confirm_within:
        yield "halt.confirm_within: 0s: must be at least 1s, or nobody could ask after the first"
