"""What the benchmark decides on: covers, claims, votes, stakes and reports as outsiders send them; also for rivals."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.adjudication import CastVote, Choice
from schemas.assessors import AddStake, AssessorInput, RegisterAssessor
from schemas.claims import FileClaim, RegisterCover
from schemas.envelope import Input, Outgoing
from schemas.governance import (
    GovernanceInput,
    ListProduct,
    OpenPool,
    PublishRulebook,
    RegisterPrincipal,
    SetStakeTerms,
)
from schemas.incidents import ReportIncident
from schemas.instants import DAY, SECOND, parse_instant
from schemas.pools import DepositCapital, PoolTerms, RequestCover
from schemas.rulebook import Ballot, Rulebook
from schemas.topics import INPUTS, OWNED
from services.governance.rulebooks import parse_rulebook, read_shipped
from services.kernel.partitioner import partition_of
from services.kernel.proofs import vouch
from services.kernel.space import Space
from services.kernel.wire import input_record

Item = TypeVar("Item")

START = parse_instant("2026-03-02T09:00:00Z")
OCCURRED_AT = START - 5 * DAY
PRODUCT = "harbor-vault"
INCIDENT = f"{PRODUCT}/1"
BUSY = "busy-vault"
POOL = "reef"
POOLED = "reef-vault"
ASSET = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
RULEBOOK = "house@1"
COVERED_MINOR = 25_000_000_000
STAKE_MINOR = 1_000_000_000
SOLD_MINOR = 1_000_000
REFUSED_EVERY = 20
"""Every so many filings one asks for more than its cover is worth."""
BOTS = ("chain-watch", "pool-sentry", "night-owl")
GATEWAY = "gateway"
BATCH = 500
"""How many inputs a gateway vouches for with one signature and appends at once; also the engine's default limit."""
_STREAMS = {model: stream.name for stream in INPUTS for model in stream.types}


class Holding(NamedTuple):
    """One cover and the claim that is filed under it: what both sides of the comparison are told."""

    cover: str
    holder: str
    claimed_minor: int

    @property
    def is_refused(self) -> bool:
        """Tell whether more is claimed than the cover is worth."""
        return self.claimed_minor > COVERED_MINOR


def holdings(first: int, count: int) -> list[Holding]:
    """Return covers by number, each with another holder."""
    return [
        Holding(
            f"cover-{number:07d}",
            account("holder", number),
            COVERED_MINOR + 1 if number % REFUSED_EVERY == 0 else COVERED_MINOR // 2 + number,
        )
        for number in range(first, first + count)
    ]


def account(kind: str, number: int) -> str:
    """Return a CAIP-10 account."""
    return f"eip155:1:0x{hashlib.sha256(f'{kind}/{number}'.encode()).hexdigest()[:40]}"


def key_of(principal: str) -> Ed25519PrivateKey:
    """Return a principal's key, the same in every run."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(principal.encode()).digest())


def given() -> list[GovernanceInput]:
    """Return what governance has to decide before anything else can be."""
    gateway = ("claim.filings", "assessor.actions", "assessor.votes", "capital.movements", "cover.requests")
    house = parse_rulebook(read_shipped("house"))
    return [
        PublishRulebook(rulebook=house),
        ListProduct(product=PRODUCT, title="Harbor vault", peril="exploit", asset=ASSET, rulebook=RULEBOOK),
        SetStakeTerms(asset=ASSET, stake_min_minor=STAKE_MINOR, notice=7 * DAY, payout=house.claim.payout),
        _register(GATEWAY, gateway, "*"),
        *(_register(bot, ("incident.reports",), ()) for bot in BOTS),
    ]


def _register(principal: str, streams: tuple[str, ...], accounts: tuple[str, ...] | str) -> RegisterPrincipal:
    public_key = key_of(principal).public_key().public_bytes_raw().hex()
    return RegisterPrincipal(principal=principal, public_key=public_key, streams=streams, accounts=accounts)


def busy_product() -> list[GovernanceInput]:
    """Return a second product, of which reports more than a second apart are of different incidents."""
    house = parse_rulebook(read_shipped("house"))
    joining = house.incident.model_copy(update={"join_window": SECOND})
    rulebook = house.model_copy(update={"name": "busy", "incident": joining})
    return [
        PublishRulebook(rulebook=rulebook),
        ListProduct(product=BUSY, title="Busy vault", peril="exploit", asset=ASSET, rulebook=rulebook.id),
    ]


def brisk_rulebook() -> Rulebook:
    """Return the house's rules, where a case waits for nobody once all have voted, and a ruling binds at once."""
    house = parse_rulebook(read_shipped("house"))
    [ballot, cooldown] = house.claim.procedure
    assert isinstance(ballot, Ballot)
    assert ballot.early_close is not None
    early = ballot.early_close.model_copy(update={"after": SECOND})
    stages = (ballot.model_copy(update={"early_close": early}), cooldown.model_copy(update={"length": SECOND}))
    claim = house.claim.model_copy(update={"procedure": stages})
    return house.model_copy(update={"name": "brisk", "claim": claim})


def pooled_product(rulebook: str = RULEBOOK) -> list[GovernanceInput]:
    """Return a pool and a product whose cover it sells."""
    terms = PoolTerms(
        capacity_bps=20_000,
        product_bps=10_000,
        dependency_bps=10_000,
        floor_rate_bps=200,
        ceiling_rate_bps=1_000,
        reserve_bps=1_000,
        junior_bps=7_000,
        period_min=DAY,
        period_max=365 * DAY,
        notice=7 * DAY,
        payout=parse_rulebook(read_shipped("house")).claim.payout,
    )
    return [
        OpenPool(pool=POOL, title="Reef pool", asset=ASSET, terms=terms),
        ListProduct(product=POOLED, title="Reef vault", peril="exploit", asset=ASSET, rulebook=rulebook, pool=POOL),
    ]


def deposit(covers: int) -> DepositCapital:
    """Return a deposit that bears so many covers twice over."""
    return DepositCapital(
        pool=POOL,
        provider=account("provider", 0),
        tranche="junior",
        amount_minor=covers * SOLD_MINOR,
        transaction="capital",
    )


def purchase(number: int) -> RequestCover:
    """Return the purchase of a cover from the pool, each by another holder, for thirty to 329 days."""
    return RequestCover(
        pool=POOL,
        product=POOLED,
        holder=account("holder", number),
        amount_minor=SOLD_MINOR,
        period=(30 + number % 300) * DAY,
        premium_max_minor=SOLD_MINOR,
        transaction=f"premium-{number}",
    )


def report(reference: str, occurred_at: int, product: str = PRODUCT) -> ReportIncident:
    """Return a bot's report."""
    return ReportIncident(
        product=product,
        reference=reference,
        occurred_at=occurred_at,
        summary="reserves of the vault fell by a third within one block",
    )


def registration(holding: Holding) -> RegisterCover:
    """Return the registration of a cover that another system sold."""
    return RegisterCover(
        cover=holding.cover,
        product=PRODUCT,
        holder=holding.holder,
        amount_minor=COVERED_MINOR,
        asset=ASSET,
        starts_at=START - 60 * DAY,
        expires_at=START + 300 * DAY,
        rulebook=RULEBOOK,
    )


def filing(holding: Holding) -> FileClaim:
    """Return the filing under a cover."""
    return FileClaim(
        cover=holding.cover, claimant=holding.holder, incident=INCIDENT, amount_minor=holding.claimed_minor
    )


def assessors(numbers: Iterable[int]) -> Iterator[AssessorInput]:
    """Let accounts become assessors, each with a stake of its own."""
    for number in numbers:
        name = account("assessor", number)
        yield RegisterAssessor(assessor=name)
        yield AddStake(assessor=name, amount_minor=STAKE_MINOR + number, transaction="stake")


def vote(case: str, number: int) -> CastVote:
    """Return an assessor's vote, a third of them against."""
    choice: Choice = "deny" if number % 3 == 0 else "accept"
    return CastVote(case=case, assessor=account("assessor", number), choice=choice, clause="4.2")


def stream_of(content: Input) -> str:
    """Name the public stream that takes an input."""
    return _STREAMS[type(content)]


def records(space: Space, contents: Iterable[Input], prefix: str, principal: str = GATEWAY) -> list[Outgoing]:
    """Make records of inputs; streams that nobody owns get vouchers, one signature a batch."""
    made = [
        input_record(
            stream_of(content),
            partition_of(content.key(), space.partitions),
            content.key(),
            id=f"{prefix}-{number}",
            source=f"/{principal}",
            wire=content.wire,
            value=content.to_bytes(),
        )
        for number, content in enumerate(contents)
    ]
    if not made or made[0].topic in OWNED:
        return made
    key = key_of(principal)
    return [record for batch in batches(made) for record in vouch(key, principal, space.name, batch)]


def batches(items: Sequence[Item], size: int = BATCH) -> Iterator[Sequence[Item]]:
    """Cut a sequence into batches."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
