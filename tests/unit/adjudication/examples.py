"""What the tests of adjudication are made of: rulebooks, assessors, cases."""

from typing import Any, Self

from schemas.adjudication import AddReport, CastVote, Choice, OpenCase, Recuse, VoteCounted
from schemas.assessors import AssessorProfiled, Holding, Share, StakeWithdrawalAnnounced
from schemas.envelope import Event, Message
from schemas.governance import ProductHalted, ProductOpened, RulebookPublished
from schemas.instants import DAY, SECOND, parse_instant
from schemas.rulebook import (
    Agreement,
    Ballot,
    ClaimRules,
    Cooldown,
    Corroboration,
    IncidentRules,
    Intake,
    PayoutTerms,
    Quorum,
    Rulebook,
    Stage,
    StakedElectorate,
    StakeWeight,
)
from services.adjudication.decider import CaseDecider
from services.adjudication.facts import AdjudicationFacts, Facts
from services.kernel.decider import Deadline
from services.kernel.specification import Specification

HOUR = 3600 * SECOND
T0 = parse_instant("2026-03-01T12:00:00.000Z")
CLAIM = "claim/C-1/1"
INCIDENT = "incident/lend/1"
BOOK = "example@1"
PRODUCT = "lend"
POOL = "pool-1"


def account(number: int) -> str:
    return f"eip155:1:0x{number:040x}"


CLAIMANT = account(999)


def ballot(**changes: object) -> Ballot:
    rules: dict[str, object] = {
        "stage": "ballot",
        "electorate": StakedElectorate(kind="staked"),
        "weight": StakeWeight(kind="stake", at="opening"),
        "secrecy": "open",
        "window": 3 * DAY,
        "end_inclusive": False,
        "quorum": Quorum(of="eligible-stake", share_bps=1000, comparison="more-than"),
        "agreement": Agreement(of="cast", share_bps=5000, comparison="more-than"),
        "tie": "draw",
        "empty": "deny",
        "unresolved": "draw",
        "revote": "refused",
        "excluded": ("claimant",),
        "clause_required": False,
    }
    return Ballot.model_validate(rules | changes)


AT_VOTE = ballot(weight=StakeWeight(kind="stake", at="vote"))


def corroboration(**changes: object) -> Corroboration:
    rules: dict[str, object] = {
        "stage": "corroboration",
        "required_weight": 3,
        "weights": {"oracle": 3, "rumour": 0},
        "window": DAY,
        "unmet": "deny",
    }
    return Corroboration.model_validate(rules | changes)


def cooldown(length: int = DAY) -> Cooldown:
    return Cooldown(stage="cooldown", length=length)


def rulebook(*, incident: tuple[Stage, ...] = (), claim: tuple[Stage, ...] = (), version: int = 1) -> Rulebook:
    return Rulebook(
        name="example",
        version=version,
        title="An example",
        incident=IncidentRules(join_window=HOUR, report_within=DAY, procedure=incident or (corroboration(),)),
        claim=ClaimRules(
            intake=Intake(waiting_period=0, grace=DAY, not_before=0, expiry_inclusive=False, grace_inclusive=False),
            procedure=claim or (ballot(),),
            payout=PayoutTerms(first_retry=HOUR, multiplier=2, longest_retry=DAY, attempts_max=3, receipt_within=DAY),
        ),
    )


def published(book: Rulebook) -> RulebookPublished:
    return RulebookPublished(rulebook=book, sha256="0" * 64)


def profiled(assessor: str, stake_minor: int, *linked_accounts: str, **ties: object) -> AssessorProfiled:
    content = {"assessor": assessor, "stake_minor": stake_minor, "linked_accounts": linked_accounts}
    return AssessorProfiled.model_validate(content | ties)


def announced(
    assessor: str, stake_minor: int, *, withdrawal: int = 1, amount_minor: int = 1
) -> StakeWithdrawalAnnounced:
    return StakeWithdrawalAnnounced(
        assessor=assessor, withdrawal=withdrawal, amount_minor=amount_minor, stake_minor=stake_minor
    )


def halted(effective_at: int, until: int, product: str = PRODUCT) -> ProductHalted:
    return ProductHalted(product=product, reason="a bug", by=("a", "b"), effective_at=effective_at, until=until)


def reopened(effective_at: int, until: int, product: str = PRODUCT) -> ProductOpened:
    return ProductOpened(product=product, reason="mended", by="a", effective_at=effective_at, until=until)


def holding(
    assessor: str, stake_minor: int, until: int, cover: str = "C-9", product: str = PRODUCT
) -> AssessorProfiled:
    return profiled(assessor, stake_minor, holdings=(Holding(cover=cover, product=product, until=until),))


def providing(assessor: str, stake_minor: int, share_bps: int, pool: str = POOL) -> AssessorProfiled:
    return profiled(assessor, stake_minor, shares=(Share(pool=pool, share_bps=share_bps),))


def noted(facts: Facts, *messages: Message) -> Facts:
    for message in messages:
        facts = AdjudicationFacts().evolve(facts, message)
    return facts


def recorded(facts: Facts, key: str, *events: Event) -> Facts:
    """Fold events of the own log, as the kernel does once they are recorded."""
    fold = AdjudicationFacts()
    for event in events:
        if isinstance(event, fold.own):
            facts = fold.evolve_own(facts, key, event)
    return facts


def staked(*stakes_minor: int) -> list[AssessorProfiled]:
    return [profiled(account(number), stake) for number, stake in enumerate(stakes_minor, start=1)]


def cast(number: int, choice: Choice = "accept", *, case: str = CLAIM, **grounds: str) -> CastVote:
    content = {"case": case, "assessor": account(number), "choice": choice}
    return CastVote.model_validate(content | grounds)


def report(producer: str, *, case: str = INCIDENT, reference: str = "r-1") -> AddReport:
    return AddReport(case=case, producer=producer, reference=reference)


class CaseSpecification(Specification):
    """A case and its facts, into which its own events are folded."""

    def when(self, content: Message | Deadline, **circumstances: Any) -> Self:  # noqa: ANN401 - as the kit has them
        super().when(content, **circumstances)
        self.facts = recorded(self.facts, self.key, *self.events)
        return self

    def recuse(self, number: int, *, at: int, reason: str = "") -> Self:
        content = Recuse(case=self.key.removeprefix("case/"), assessor=account(number), reason=reason)
        return self.when(content, at=at, sender=content.assessor)

    def vote(self, number: int, choice: Choice = "accept", *, at: int, **grounds: str) -> Self:
        content = cast(number, choice, case=self.key.removeprefix("case/"), **grounds)
        return self.when(content, at=at, sender=content.assessor)

    def hear(self, message: Message, *, at: int, since: int | None = None) -> Self:
        """Note a broadcast and decide it, as the audience of it does."""
        return self.note(message).when(message, at=at, since=since)

    def note(self, *messages: Message) -> Self:
        return self.with_facts(noted(self.facts, *messages))


def unopened(case: str, book: Rulebook, *messages: Message) -> CaseSpecification:
    facts = noted(Facts(), published(book), *messages)
    return CaseSpecification(CaseDecider(), facts=facts, key=f"case/{case}")


def claim(
    *messages: Message,
    procedure: tuple[Stage, ...] = (),
    claimant: str | None = CLAIMANT,
    product: str | None = None,
    pool: str | None = None,
) -> CaseSpecification:
    """Open a claim's case at T0, with these assessors."""
    opening = OpenCase(
        case=CLAIM,
        subject="claim",
        rulebook=BOOK,
        claimant=claimant,
        amount_minor=1_000,
        product=product,
        pool=pool,
    )
    return unopened(CLAIM, rulebook(claim=procedure), *messages).when(opening, at=T0)


def incident(*messages: Message, procedure: tuple[Stage, ...] = (), product: str | None = None) -> CaseSpecification:
    """Open an incident's case at T0."""
    opening = OpenCase(case=INCIDENT, subject="incident", rulebook=BOOK, product=product)
    return unopened(INCIDENT, rulebook(incident=procedure), *messages).when(opening, at=T0)


def counted(case: CaseSpecification) -> VoteCounted:
    """Return the vote that the last input was counted as."""
    assert isinstance(case.events[0], VoteCounted), case.events
    return case.events[0]
