"""One cover of one product, and what can be asked of it."""

from schemas.adjudication import CaseRuled
from schemas.claims import (
    AddEvidence,
    Evidence,
    FileClaim,
    ReduceClaim,
    RegisterCover,
    WithdrawClaim,
)
from schemas.governance import ProductHalted, ProductListed, ProductOpened, RulebookPublished
from schemas.ids import parent
from schemas.incidents import IncidentDecided
from schemas.instants import DAY, LAST, SECOND
from schemas.payouts import PayoutConfirmed
from schemas.rulebook import (
    Agreement,
    Ballot,
    ClaimRules,
    Cooldown,
    Corroboration,
    IncidentRules,
    Intake,
    Outcome,
    PayoutTerms,
    Quorum,
    Rulebook,
    StakedElectorate,
    StakeWeight,
)
from services.claims.decider import CoverDecider
from services.claims.facts import ClaimsFacts, Facts
from services.kernel.specification import Specification

HOUR = 3_600 * SECOND
START = 20_000 * DAY
EXPIRY = START + 100 * DAY
COVERED_FROM = START + 3 * DAY
EVENT = START + 10 * DAY
"""When incident P/1 happened."""
OPEN = EVENT + 2 * DAY
"""From when it can be claimed for."""
GRACE_END = EXPIRY + 35 * DAY
USDC = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
DAI = "eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f"
HOLDER = "eip155:1:0x" + "a" * 40
OTHER = "eip155:1:0x" + "b" * 40

BALLOT = Ballot(
    stage="ballot",
    electorate=StakedElectorate(kind="staked"),
    weight=StakeWeight(kind="stake", at="opening"),
    secrecy="open",
    window=3 * DAY,
    end_inclusive=False,
    quorum=Quorum(of="eligible-stake", share_bps=1_000, comparison="more-than"),
    agreement=Agreement(of="cast", share_bps=5_000, comparison="more-than"),
    tie="draw",
    empty="draw",
    unresolved="draw",
    revote="refused",
    excluded=("claimant",),
)
RULES = ClaimRules(
    intake=Intake(
        waiting_period=3 * DAY,
        grace=35 * DAY,
        not_before=2 * DAY,
        expiry_inclusive=False,
        grace_inclusive=False,
        evidence_max=3,
    ),
    procedure=(BALLOT, Cooldown(stage="cooldown", length=DAY)),
    payout=PayoutTerms(first_retry=HOUR, multiplier=2, longest_retry=DAY, attempts_max=4, receipt_within=DAY),
)
INCLUSIVE = RULES.model_copy(
    update={"intake": RULES.intake.model_copy(update={"expiry_inclusive": True, "grace_inclusive": True})}
)


def published(rules: ClaimRules = RULES, version: int = 1) -> RulebookPublished:
    incident = IncidentRules(
        join_window=DAY,
        report_within=DAY,
        procedure=(Corroboration(stage="corroboration", required_weight=1, window=DAY, unmet="deny"),),
    )
    rulebook = Rulebook(name="house", version=version, title="House", incident=incident, claim=rules)
    return RulebookPublished(rulebook=rulebook, sha256="0" * 64)


LISTED = ProductListed(
    product="P", title="Protocol", peril="exploit", asset=USDC, rulebook="house@1", rulebook_sha256="0" * 64
)


def decided(
    incident: str = "P/1", *, occurred_at: int = EVENT, status: str = "confirmed", product: str = "P"
) -> IncidentDecided:
    return IncidentDecided.model_validate(
        {
            "incident": incident,
            "product": product,
            "occurred_at": occurred_at,
            "status": status,
            "decided_at": min(occurred_at + DAY, LAST),
        }
    )


def knowing(*facts: RulebookPublished | ProductListed | ProductHalted | ProductOpened | IncidentDecided) -> Facts:
    fold = ClaimsFacts()
    known = fold.initial()
    for fact in facts:
        known = fold.evolve(known, fact)
    return known


def halted(effective_at: int, until: int, product: str = "P") -> ProductHalted:
    return ProductHalted(product=product, reason="a bug", by=("ann", "bob"), effective_at=effective_at, until=until)


def opened(effective_at: int, until: int, product: str = "P") -> ProductOpened:
    return ProductOpened(product=product, reason="fixed", by="ann", effective_at=effective_at, until=until)


FACTS = knowing(published(), LISTED, decided("P/1"), decided("P/2"))


REGISTRATION = RegisterCover(
    cover="C-1",
    product="P",
    holder=HOLDER,
    amount_minor=100,
    asset=USDC,
    starts_at=START,
    expires_at=EXPIRY,
    rulebook="house@1",
)


def registration(**changes: object) -> RegisterCover:
    return REGISTRATION.model_copy(update=changes)


def unregistered(facts: Facts = FACTS) -> Specification:
    return Specification(CoverDecider(), facts=facts, key="cover/C-1")


def covered(facts: Facts = FACTS) -> Specification:
    return unregistered(facts).when(registration(), at=START, sender="registrar")


def filed(facts: Facts = FACTS) -> Specification:
    """Claim C-1/1 is open: 60 of 100, with document 1."""
    return covered(facts).when(filing(evidence=documents(1)), at=OPEN)


def filing(
    *,
    cover: str = "C-1",
    claimant: str = HOLDER,
    incident: str = "P/1",
    amount_minor: int = 60,
    evidence: tuple[Evidence, ...] = (),
) -> FileClaim:
    return FileClaim(cover=cover, claimant=claimant, incident=incident, amount_minor=amount_minor, evidence=evidence)


def documents(*numbers: int) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(sha256=f"{number:064x}", media_type="text/plain", size_bytes=1, description="log")
        for number in numbers
    )


def adding(*numbers: int, claim: str = "C-1/1", claimant: str = HOLDER, cover: str = "C-1") -> AddEvidence:
    return AddEvidence(cover=cover, claimant=claimant, claim=claim, evidence=documents(*numbers))


def reducing(amount_minor: int, claim: str = "C-1/1", claimant: str = HOLDER, cover: str = "C-1") -> ReduceClaim:
    return ReduceClaim(cover=cover, claimant=claimant, claim=claim, amount_minor=amount_minor)


def withdrawing(claim: str = "C-1/1", claimant: str = HOLDER, cover: str = "C-1") -> WithdrawClaim:
    return WithdrawClaim(cover=cover, claimant=claimant, claim=claim)


def ruling(outcome: Outcome = "accept", amount_minor: int = 60, claim: str = "C-1/1") -> CaseRuled:
    return CaseRuled(case=f"claim/{claim}", subject="claim", outcome=outcome, amount_minor=amount_minor)


def transferred(amount_minor: int = 60, claim: str = "C-1/1", payout: int = 1) -> PayoutConfirmed:
    return PayoutConfirmed(
        payout=f"{claim}/{payout}",
        claim=claim,
        cover=parent(claim),
        attempt=1,
        transaction="0x1",
        amount_minor=amount_minor,
    )
