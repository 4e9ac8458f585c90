"""Logs as services would write them, and a story that touches every kind of row."""

from collections.abc import Iterable
from itertools import count

from schemas.adjudication import (
    AssessorExcluded,
    AssessorRecused,
    BallotClosed,
    BallotOpened,
    CaseHalted,
    CaseOpened,
    CaseRuled,
    CooldownClosed,
    CooldownOpened,
    CorroborationClosed,
    CorroborationOpened,
    ReportCounted,
    RoundSettled,
    VoteCounted,
    VoteLine,
    VotesSettled,
)
from schemas.assessors import (
    AssessorProfiled,
    AssessorRegistered,
    HoldingNoted,
    StakeAdded,
    StakePaidOut,
    StakeSettled,
    StakeWithdrawalAnnounced,
    StakeWithdrawalAnswered,
    StakeWithdrawalRequested,
    StakeWithdrawn,
)
from schemas.claims import (
    ClaimAllocated,
    ClaimApproved,
    ClaimFiled,
    ClaimPaid,
    CoverRegistered,
    Evidence,
    EvidenceAdded,
)
from schemas.envelope import Event, Position
from schemas.governance import (
    GroupSet,
    HaltRequested,
    IncidentFound,
    PoolListed,
    PrincipalRegistered,
    PrincipalRevoked,
    ProductHalted,
    ProductListed,
    ProductOpened,
    RulebookPublished,
    StakeTermsSet,
)
from schemas.incidents import IncidentAlarmed, IncidentDecided, IncidentOpened, ReportJoined
from schemas.instants import DAY, parse_instant
from schemas.outcomes import ArithmeticStep, NextStep
from schemas.payouts import PayoutConfirmed, PayoutFailed, PayoutInstructed, PayoutRetried, PayoutSubmitted
from schemas.pools import (
    CapitalDeposited,
    CapitalWithdrawalRequested,
    CoverSold,
    IncidentSettled,
    Line,
    PayoutBooked,
    PoolOpened,
    PoolTerms,
    Posting,
    ReserveChanged,
    SettlementClosed,
    SettlementLines,
    SettlementOpened,
    Waterfall,
)
from schemas.rulebook import PayoutTerms
from schemas.topics import SERVICES, TOPICS
from services.governance.rulebooks import parse_rulebook, read_shipped
from services.kernel.clock import VirtualClock
from services.kernel.memory_store import MemoryStore
from services.kernel.partitioner import partition_of
from services.kernel.records import FactNoted, InputsPassed, PassedInput, PassedRange, Refused, SetAside
from services.kernel.space import Space
from services.kernel.wire import Cause, genesis, log_record, stable_id
from tests.support.stores import incarnation

START = parse_instant("2026-03-01T12:00:00.000Z")
HOUR = DAY // 24
SPACE = Space("main", 4)
USDC = "eip155:1/erc20:0x" + "a0" * 20
ALICE, BOB, CAROL, DAVE = (f"eip155:1:0x{number:040x}" for number in (0xA1, 0xB0, 0xCA, 0xDA))
PAYOUT_TERMS = PayoutTerms(first_retry=HOUR, multiplier=2, longest_retry=DAY, attempts_max=5, receipt_within=DAY)
TERMS = PoolTerms(
    capacity_bps=20_000,
    product_bps=5_000,
    dependency_bps=5_000,
    floor_rate_bps=100,
    ceiling_rate_bps=1_000,
    reserve_bps=1_000,
    junior_bps=6_000,
    period_min=DAY,
    period_max=365 * DAY,
    notice=7 * DAY,
    payout=PAYOUT_TERMS,
)
HOUSE = parse_rulebook(read_shipped("house"))
SHA = "ab" * 32


class Logs:
    """A memory store whose logs are written as services do: chained, each record with its cause."""

    def __init__(self, space: Space = SPACE) -> None:
        self.space = space
        self.clock = VirtualClock(START)
        names = [topic.name for topic in TOPICS]
        self.store = MemoryStore(space.name, names, space.partitions, self.clock, incarnation)
        self._chains = {
            (f"{service}.events", partition): genesis(
                space.name, f"{service}.events", partition, incarnation(f"{service}.events")
            )
            for service in SERVICES
            for partition in range(space.partitions)
        }
        self._sequences: dict[str, int] = {}
        self._numbers = count(1)

    def cause(self, stream: str, key: str, identifier: str | None = None, sender: str = "bot") -> Cause:
        """Name a public input that was decided just now."""
        number = next(self._numbers)
        position = Position(stream, incarnation(stream), partition_of(key, self.space.partitions), number)
        name = identifier or f"input-{number}"
        now = self.clock.now()
        return Cause(name, name, str(position), key, sender, None, now, now, SHA, SHA)

    async def write(self, service: str, key: str, *events: Event, cause: Cause | None = None) -> None:
        """Append the events of one decision."""
        log, partition = f"{service}.events", partition_of(key, self.space.partitions)
        if key.startswith("partition/"):
            partition = int(key.removeprefix("partition/"))
        for event in events:
            sequence = self._sequences[key] = self._sequences.get(key, 0) + 1
            record, self._chains[log, partition] = log_record(
                log,
                partition,
                f"/{self.space.name}/{service}",
                key,
                sequence,
                stable_id(self.space.name, service, key, sequence),
                event.wire,
                event.to_bytes(),
                self.clock.now(),
                cause,
                self._chains[log, partition],
            )
            await self.store.append([record])

    def wait(self, milliseconds: int = HOUR) -> None:
        """Let time pass."""
        self.clock.advance_to(self.clock.now() + milliseconds)


def postings(*lines: tuple[str, int]) -> tuple[Posting, ...]:
    return tuple(Posting.model_validate({"account": name, "amount_minor": str(amount)}) for name, amount in lines)


def step(rule: str, result: int) -> tuple[ArithmeticStep, ...]:
    return (ArithmeticStep(rule=rule, inputs={"claimed": str(result)}, result_minor=str(result)),)


async def govern(logs: Logs) -> None:
    events: Iterable[Event] = (
        RulebookPublished(rulebook=HOUSE, sha256=SHA),
        PoolListed(pool="P", title="Pool", asset=USDC, terms=TERMS),
        product("vault"),
        PrincipalRegistered(principal="bot", public_key="11" * 32, streams=("*",), accounts=()),
        PrincipalRegistered(principal="old-bot", public_key="22" * 32, streams=("*",), accounts=()),
        PrincipalRevoked(principal="old-bot"),
        GroupSet(group="guardians", members=("ann", "ben")),
        StakeTermsSet(asset=USDC, stake_min_minor=10, notice=7 * DAY, payout=PAYOUT_TERMS),
        HaltRequested(
            product="vault",
            length=HOUR,
            reason="a doubt",
            by="ann",
            persons_missing=1,
            lapses_at=START + HOUR,
        ),
        ProductHalted(product="vault", reason="a doubt", by=("ann", "ben"), effective_at=START, until=START + HOUR),
        ProductOpened(product="vault", reason="no doubt", by="ann", effective_at=START, until=START + HOUR // 2),
        IncidentFound(incident="vault/9", finding="rejected", reason="not this one"),
    )
    for event in events:
        await logs.write("governance", "scope/main", event, cause=logs.cause("governance.actions", "scope/main"))


def product(name: str) -> ProductListed:
    return ProductListed(
        product=name,
        title=f"Product {name}",
        peril="exploit",
        asset=USDC,
        rulebook=HOUSE.id,
        rulebook_sha256=SHA,
        pool="P",
        dependencies=("bridge",),
        alarm_weight=2,
        next=NextStep(step="sell cover"),
    )


async def capital(logs: Logs) -> None:
    await logs.write("pools", "pool/P", PoolOpened(pool="P", title="Pool", asset=USDC, terms=TERMS))
    for number, (provider, tranche, amount) in enumerate(((BOB, "junior", 600), (CAROL, "senior", 400))):
        deposited = CapitalDeposited.model_validate(
            {
                "pool": "P",
                "provider": provider,
                "tranche": tranche,
                "amount_minor": amount,
                "transaction": f"tx-{number}",
                "shares_minor": amount,
                "tranche_shares_minor": amount,
                "share_bps": amount * 10,
                "postings": postings(("cash", amount), (f"capital:{tranche}", -amount)),
            }
        )
        await logs.write("pools", "pool/P", deposited, cause=logs.cause("capital.movements", "pool/P"))
    leaving = CapitalWithdrawalRequested(
        pool="P", provider=CAROL, tranche="senior", shares_minor=100, available_at=START + 7 * DAY
    )
    await logs.write("pools", "pool/P", leaving, cause=logs.cause("capital.movements", "pool/P"))


async def sell(logs: Logs, number: int = 1, holder: str = ALICE) -> None:
    cover, now = f"P.{number}", logs.clock.now()
    sold = CoverSold(
        pool="P",
        cover=cover,
        product="vault",
        holder=holder,
        amount_minor=500,
        asset=USDC,
        starts_at=now,
        expires_at=now + 30 * DAY,
        claimable_until=now + 60 * DAY,
        rulebook=HOUSE.id,
        rulebook_sha256=SHA,
        premium_minor=10,
        transaction=f"premium-{number}",
        arithmetic=step("pool.premium", 10),
        postings=postings(("cash", 10), ("reserve", -1), ("capital:junior", -5), ("capital:senior", -4)),
        next=NextStep(step="claim", due_at=now + 60 * DAY),
    )
    await logs.write("pools", "pool/P", sold, cause=logs.cause("cover.requests", "pool/P"))
    registered = CoverRegistered(
        cover=cover,
        product="vault",
        holder=holder,
        amount_minor=500,
        asset=USDC,
        starts_at=now,
        expires_at=now + 30 * DAY,
        rulebook=HOUSE.id,
        pool="P",
        premium_minor=10,
        claimable_until=now + 60 * DAY,
    )
    await logs.write("claims", f"cover/{cover}", registered)
    noted = HoldingNoted(account=holder, cover=cover, product="vault", until=now + 60 * DAY)
    await logs.write("assessors", f"assessor/{holder}", noted)


async def register_assessors(logs: Logs, accounts: Iterable[str] = (BOB, DAVE)) -> None:
    for account in accounts:
        key = f"assessor/{account}"
        cause = logs.cause("assessor.actions", key)
        profile = AssessorProfiled(assessor=account, stake_minor=0, linked_accounts=())
        await logs.write(
            "assessors", key, AssessorRegistered(assessor=account, linked_accounts=()), profile, cause=cause
        )
        await logs.write(
            "assessors",
            key,
            StakeAdded(assessor=account, amount_minor=100, transaction="t", stake_minor=100),
            AssessorProfiled(assessor=account, stake_minor=100, linked_accounts=(ALICE,), interests=("other",)),
            cause=logs.cause("assessor.actions", key),
        )


async def report(logs: Logs) -> None:
    """An incident that three report; its case rules that it is one."""
    occurred_at, key = logs.clock.now(), "product/vault"
    told = {"incident": "vault/1", "occurred_at": occurred_at, "summary": "drained", "evidence": (SHA,)}
    opened = IncidentOpened.model_validate(
        {**told, "producer": "bot", "reference": "r1", "product": "vault", "rulebook": HOUSE.id}
    )
    await logs.write("incidents", key, opened, cause=logs.cause("incident.reports", key, "report-1"))
    alarmed = IncidentAlarmed(
        incident="vault/1", product="vault", producer="bot-2", weight=2, until=occurred_at + 3 * DAY
    )
    joined = ReportJoined.model_validate({**told, "producer": "bot-2", "reference": "r2"})
    await logs.write("incidents", key, joined, alarmed, cause=logs.cause("incident.reports", key, "report-2"))
    case = "case/incident/vault/1"
    await logs.write(
        "adjudication",
        case,
        CaseOpened(
            case="incident/vault/1",
            subject="incident",
            rulebook=HOUSE.id,
            claimant=None,
            amount_minor=0,
            product="vault",
            incident="vault/1",
            pool="P",
        ),
        CorroborationOpened(stage=0, required_weight=2, closes_at=occurred_at + DAY),
        ReportCounted(producer="bot", reference="r1", weight=1, weight_sum=1),
    )
    logs.wait()
    await logs.write(
        "adjudication",
        case,
        ReportCounted(producer="bot-2", reference="r2", weight=2, weight_sum=3),
        CorroborationClosed(stage=0, weight_sum=3, required_weight=2, outcome="accept"),
        CaseRuled(case="incident/vault/1", subject="incident", outcome="accept", amount_minor=0),
    )
    decided = IncidentDecided(
        incident="vault/1",
        product="vault",
        occurred_at=occurred_at,
        status="confirmed",
        decided_at=logs.clock.now(),
        pool="P",
    )
    await logs.write("incidents", key, decided)
    opened_at = logs.clock.now()
    settlement = SettlementOpened(
        pool="P",
        incident="vault/1",
        product="vault",
        occurred_at=occurred_at,
        decided_at=opened_at,
        window=14 * DAY,
        cut_off_at=opened_at + 14 * DAY,
        provision_minor=500,
    )
    await logs.write("pools", "pool/P", settlement)


async def file_claim(logs: Logs) -> None:
    key = "cover/P.1"
    evidence = Evidence(sha256=SHA, media_type="text/plain", size_bytes=9, description="the transaction")
    filed = ClaimFiled(
        claim="P.1/1",
        cover="P.1",
        incident="vault/1",
        claimant=ALICE,
        amount_minor=400,
        rulebook=HOUSE.id,
        evidence=(evidence,),
        product="vault",
        pool="P",
        next=NextStep(step="vote"),
    )
    await logs.write("claims", key, filed, cause=logs.cause("claim.filings", key, "file-1", ALICE))
    added = EvidenceAdded(claim="P.1/1", evidence=(evidence,))
    await logs.write("claims", key, added, cause=logs.cause("claim.filings", key, "evidence-1", ALICE))
    reserved = ReserveChanged(
        pool="P",
        claim="P.1/1",
        cover="P.1",
        incident="vault/1",
        amount_minor=400,
        status="undecided",
        reserved_minor=400,
    )
    await logs.write("pools", "pool/P", reserved)


async def vote(logs: Logs) -> None:
    now, key, case = logs.clock.now(), "case/claim/P.1/1", "claim/P.1/1"
    await logs.write(
        "adjudication",
        key,
        CaseOpened(
            case=case,
            subject="claim",
            rulebook=HOUSE.id,
            claimant=ALICE,
            amount_minor=400,
            product="vault",
            incident="vault/1",
            pool="P",
        ),
        BallotOpened(
            stage=0,
            round=1,
            closes_at=now + DAY,
            closes_early_at=None,
            facts_version=3,
            eligible_stake_minor=100,
            eligible_heads=1,
            cap_minor=None,
        ),
        AssessorExcluded(round=1, assessor=BOB, reason="holds 60 % of pool P"),
    )
    for choice, replaces in (("deny", False), ("accept", True)):
        counted = VoteCounted.model_validate(
            {
                "round": 1,
                "assessor": DAVE,
                "choice": choice,
                "clause": "§ 4",
                "rationale": "seen “it” happen",
                "stake_minor": 100,
                "weight_minor": 100,
                "replaces": replaces,
                "accept_minor": 100 if choice == "accept" else 0,
                "deny_minor": 0 if choice == "accept" else 100,
            }
        )
        await logs.write("adjudication", key, counted, cause=logs.cause("assessor.votes", key, f"vote-{choice}", DAVE))
    recused = AssessorRecused(round=1, assessor=CAROL, reason="", eligible_stake_minor=100, eligible_heads=1)
    await logs.write("adjudication", key, recused, cause=logs.cause("case.actions", key, "recuse-1", CAROL))
    await logs.write("adjudication", key, CaseHalted(effective_at=now, until=now + HOUR, closes_at=now + DAY + HOUR))
    logs.wait(DAY + HOUR)
    await logs.write(
        "adjudication",
        key,
        BallotClosed(
            stage=0,
            round=1,
            accept_minor=100,
            deny_minor=0,
            heads=1,
            eligible_stake_minor=100,
            eligible_heads=1,
            early=False,
            rule="agreement",
            outcome="accept",
        ),
        CooldownOpened(stage=1, outcome="accept", closes_at=logs.clock.now() + HOUR),
    )
    logs.wait()
    line = VoteLine(assessor=DAVE, choice="accept", stake_minor=100, weight_minor=100, forfeit_minor=0, reward_minor=7)
    await logs.write(
        "adjudication",
        key,
        CooldownClosed(stage=1),
        CaseRuled(case=case, subject="claim", outcome="accept", amount_minor=400),
        RoundSettled(
            case=case,
            round=1,
            outcome="accept",
            forfeited_minor=7,
            winning_minor=100,
            units=0,
            treasury_minor=0,
            settled_at=logs.clock.now(),
        ),
        VotesSettled(case=case, round=1, lines=(line,), more=False),
    )
    settled = StakeSettled(
        assessor=DAVE, case=case, round=1, forfeited_minor=0, shortfall_minor=0, reward_minor=7, stake_minor=107
    )
    await logs.write("assessors", f"assessor/{DAVE}", settled)


async def settle(logs: Logs) -> None:
    approved = ClaimApproved(
        claim="P.1/1",
        cover="P.1",
        incident="vault/1",
        pool="P",
        payout=None,
        recipient=ALICE,
        asset=USDC,
        amount_minor=400,
        rulebook=HOUSE.id,
        arithmetic=step("claim.amount", 400),
        payout_terms=PAYOUT_TERMS,
    )
    await logs.write("claims", "cover/P.1", approved)
    reserved = ReserveChanged(
        pool="P",
        claim="P.1/1",
        cover="P.1",
        incident="vault/1",
        amount_minor=400,
        status="approved",
        reserved_minor=400,
    )
    allocated = IncidentSettled(
        pool="P",
        incident="vault/1",
        allocation=1,
        cause="ample",
        settled_at=logs.clock.now(),
        claims=("P.1/1",),
        claims_count=1,
        owed_minor=400,
        distributed_minor=400,
        deferred_minor=0,
        cut=None,
        waterfall=Waterfall(reserve_minor=1, junior_minor=399, senior_minor=0),
        arithmetic=step("settlement.distributed", 400),
        postings=postings(("reserve", 1), ("capital:junior", 399), ("payable", -400)),
    )
    line = Line(claim="P.1/1", owed_minor=400, amount_minor=400, allocated_minor=400, deferred_minor=0)
    lines = SettlementLines(
        pool="P",
        incident="vault/1",
        allocation=1,
        owed_minor=400,
        distributed_minor=400,
        lines=(line,),
        more=False,
    )
    await logs.write("pools", "pool/P", reserved, allocated, lines)
    granted = ClaimAllocated(
        claim="P.1/1",
        cover="P.1",
        incident="vault/1",
        pool="P",
        payout="P.1/1/1",
        recipient=ALICE,
        asset=USDC,
        amount_minor=400,
        allocated_minor=400,
        deferred_minor=0,
        arithmetic=step("settlement.line", 400),
        payout_terms=PAYOUT_TERMS,
    )
    await logs.write("claims", "cover/P.1", granted)


async def pay(logs: Logs) -> None:
    key, now = "payout/P.1/1/1", logs.clock.now()
    of = {"payout": "P.1/1/1", "claim": "P.1/1", "cover": "P.1", "pool": "P"}
    order = {"asset": USDC, "recipient": ALICE, "amount_minor": 400, "arithmetic": step("settlement.line", 400)}
    instructed = PayoutInstructed.model_validate(
        {**of, **order, "attempt": 1, "terms": PAYOUT_TERMS, "receipt_due_at": now + DAY}
    )
    await logs.write("payouts", key, instructed)
    failed = PayoutFailed(payout="P.1/1/1", attempt=1, reason="nonce", retry_at=now + HOUR)
    await logs.write("payouts", key, failed, cause=logs.cause("payout.receipts", key, "failed-1", "treasury"))
    logs.wait()
    retried = PayoutRetried.model_validate({**of, **order, "attempt": 2, "receipt_due_at": now + 2 * DAY})
    await logs.write("payouts", key, retried)
    submitted = PayoutSubmitted(payout="P.1/1/1", attempt=2, transaction="0x2")
    await logs.write("payouts", key, submitted, cause=logs.cause("payout.receipts", key, "submitted-2", "treasury"))
    logs.wait()
    confirmed = PayoutConfirmed.model_validate({**of, "attempt": 2, "transaction": "0x2", "amount_minor": 400})
    await logs.write("payouts", key, confirmed, cause=logs.cause("payout.receipts", key, "confirmed-2", "treasury"))
    paid = ClaimPaid(claim="P.1/1", payout="P.1/1/1", amount_minor=400, remaining_minor=100)
    await logs.write("claims", "cover/P.1", paid)
    booked = PayoutBooked(
        pool="P",
        payout="P.1/1/1",
        cover="P.1",
        amount_minor=400,
        postings=postings(("payable", 400), ("cash", -400)),
    )
    closed = SettlementClosed(pool="P", incident="vault/1", deferred_minor=0)
    await logs.write("pools", "pool/P", booked, closed)


async def leave(logs: Logs) -> None:
    key, now = f"assessor/{DAVE}", logs.clock.now()
    await logs.write(
        "assessors",
        key,
        StakeWithdrawalRequested(assessor=DAVE, withdrawal=1, amount_minor=50, available_at=now + 7 * DAY),
        StakeWithdrawalAnnounced(assessor=DAVE, withdrawal=1, amount_minor=50, stake_minor=57),
        StakeWithdrawalAnswered(assessor=DAVE, withdrawal=1, partition=0, partitions=4, cases=("claim/P.1/1",)),
        StakeWithdrawn(
            assessor=DAVE,
            withdrawal=1,
            amount_minor=50,
            payout=f"stake:{DAVE}/1",
            asset=USDC,
            stake_minor=57,
            arithmetic=step("stake.withdrawal", 50),
            payout_terms=PAYOUT_TERMS,
        ),
        StakePaidOut(assessor=DAVE, withdrawal=1, payout=f"stake:{DAVE}/1", amount_minor=50),
    )


async def mishaps(logs: Logs) -> None:
    """Inputs that were refused, set aside, repeated and misplaced, and a fact that touches no row."""
    key = "cover/P.1"
    refused = Refused(rule="claim.amount-above-cover", value="900", accepted="at most 500")
    await logs.write("claims", key, refused, cause=logs.cause("claim.filings", key, "file-too-much", ALICE))
    partition = f"partition/{partition_of(key, logs.space.partitions)}"
    cause = logs.cause("claim.filings", key, "unreadable")
    aside = SetAside(position=cause.input, cause="not-json", reason="the value is no JSON", size_bytes=3)
    await logs.write("claims", partition, aside, cause=cause._replace(key=partition))
    at = logs.clock.now()
    inputs = (
        PassedInput(
            offset=1000,
            fate="duplicate",
            at=at,
            input_sha256=SHA,
            of=f"claim.filings@{incarnation('claim.filings')}/0/1",
            id="file-1",
            key=key,
            sender=ALICE,
        ),
        PassedInput(offset=1001, fate="forwarded", at=at, input_sha256=SHA, to_partition=3, id="lost", key="cover/X"),
    )
    unseen = PassedInput(offset=7, fate="no-effect", at=at, input_sha256=SHA)
    ranges = (
        PassedRange(topic="claim.filings", incarnation=incarnation("claim.filings"), inputs=inputs),
        PassedRange(topic="claims.inbox", incarnation=incarnation("claims.inbox"), inputs=(unseen,)),
    )
    await logs.write("claims", partition, InputsPassed(ranges=ranges))
    await logs.write("claims", "facts/0", FactNoted(fact_type="product.listed.v1", fact_json="{}"))


async def whole_story(logs: Logs) -> Logs:
    """From a rulebook to a paid claim."""
    for chapter in (govern, capital, register_assessors, sell, report, file_claim, vote, settle, pay, leave, mishaps):
        await chapter(logs)
        logs.wait()
    return logs
