"""Groups of services that speak with each other, with what to draw for them and what a sensible history of them is."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from hypothesis import strategies as st

from schemas import adjudication, assessors, claims, governance, incidents, payouts, pools
from schemas.adjudication import CastVote, Recuse
from schemas.assessors import AddStake, DeclareInterests, RegisterAssessor, RequestStakeWithdrawal, WithdrawStake
from schemas.claims import AddEvidence, Evidence, FileClaim, ReduceClaim, RegisterCover, WithdrawClaim
from schemas.envelope import Event, Input, registered
from schemas.governance import (
    FindIncident,
    HaltProduct,
    ListProduct,
    OpenPool,
    OpenProduct,
    PublishRulebook,
    RegisterPrincipal,
    RevokePrincipal,
    SetGroup,
    SetStakeTerms,
)
from schemas.incidents import ReportIncident
from schemas.instants import DAY
from schemas.payouts import ReceiptConfirmed, ReceiptFailed, ReceiptSubmitted, ResumePayout
from schemas.pools import DepositCapital, PoolTerms, RequestCapitalWithdrawal, RequestCover, WithdrawCapital
from schemas.rulebook import Rulebook
from schemas.topics import OWNED
from services.governance.rulebooks import parse_rulebook, read_shipped
from services.kernel.decider import DecisionService

from . import toy
from .lawful import Deliver, Put, Step, Tick
from .strategies import ACCOUNTS, BASE, USDC, messages, mostly

HOUR = 3_600_000
SETTLED = Deliver()
PRODUCERS = ("bot-1", "bot-2", "bot-3", "bot-4")


class World(NamedTuple):
    """Services, who owns which stream, what cannot be drawn from types alone, and sensible histories."""

    services: tuple[DecisionService[Any], ...]
    owned: Mapping[str, str]
    overrides: Mapping[object, st.SearchStrategy[Any]]
    scripts: Sequence[Sequence[Step]]
    events: Mapping[str, frozenset[str]]
    ticks: tuple[int, ...]
    left_out: frozenset[type[Input]] = frozenset()

    def steps(self, focus: str) -> st.SearchStrategy[Step]:
        """Draw one step: mostly an input of one service."""
        names = [service.name for service in self.services]
        inputs = {name: st.one_of([self._put(name, model) for model in self._models(name)]) for name in names}
        return st.one_of(
            inputs[focus],
            inputs[focus],
            st.sampled_from(names).flatmap(inputs.__getitem__),
            st.sampled_from(names).map(Deliver),
            st.just(SETTLED),
            st.sampled_from(self.ticks).map(Tick),
        )

    def _models(self, name: str) -> list[type[Input]]:
        (service,) = [service for service in self.services if service.name == name]
        return [model for stream in service.inputs for model in stream.types if model not in self.left_out]

    def _put(self, name: str, model: type[Input]) -> st.SearchStrategy[Put]:
        (service,) = [service for service in self.services if service.name == name]
        (stream,) = [stream.name for stream in service.inputs if model in stream.types]
        owner = self.owned.get(stream)
        senders = st.sampled_from(PRODUCERS) if owner is None else mostly(owner, PRODUCERS[0])
        return st.builds(
            lambda content, sender: Put(content, content.account() or sender),
            messages(model, self.overrides),
            senders,
        )


def events_of(*modules: Any) -> frozenset[str]:  # noqa: ANN401 - modules of messages
    """Return the wire names of all events that modules define."""
    names = {module.__name__ for module in modules}
    return frozenset(
        wire for wire, model in registered().items() if issubclass(model, Event) and model.__module__ in names
    )


# --- the toys


def _coin(till: str, value_minor: int) -> Put:
    return Put(toy.InsertCoin(till=till, value_minor=value_minor), "mint")


TOY = World(
    (toy.TILL, toy.BANK),
    {"coins": "mint", "rates": "boss"},
    {
        "till": mostly("a", "b"),
        "tell": st.none() | mostly("a", "b"),
        "value_minor": mostly(5, 0, -1),
        "rate": mostly(2, 3),
        "payer": st.none(),
    },
    (
        (
            _coin("a", 5),
            Put(toy.ChangeRate(rate=2, tell="a"), "boss"),
            SETTLED,
            _coin("a", 5),
            Tick(toy.WINDOW),
            SETTLED,
            _coin("a", 5),
        ),
    ),
    {
        "till": frozenset(("coin.inserted.v1", "till.closed.v1", "rate.heard.v1", "refused.v1")),
        "bank": frozenset(("rate.set.v1", "rate.told.v1", "total.noted.v1", "refused.v1")),
    },
    (1, toy.WINDOW),
    frozenset((toy.Explode,)),
)


# --- Adjudex

HOUSE = parse_rulebook(read_shipped("house"))
HOLDER, SECOND_HOLDER, *VOTERS = ACCOUNTS


ANOTHER = st.shared(messages(Rulebook), key="rulebook")
"""A rulebook besides the house's, the same throughout a history."""


def _version(book: Rulebook, number: int) -> Rulebook:
    return book.model_copy(update={"name": "house", "version": number})


PUBLISHED = st.builds(_version, st.just(HOUSE) | ANOTHER, st.sampled_from((1, 1, 2, 3)))


def _root(content: Input) -> Put:
    return Put(content, OWNED["governance.actions"])


def _own(content: Input) -> Put:
    """Put what an account sends for itself."""
    return Put(content, content.account() or "")


def _stake(voter: str) -> tuple[Put, Put]:
    """Register an assessor with something at stake."""
    return (
        _own(RegisterAssessor(assessor=voter)),
        _own(AddStake(assessor=voter, amount_minor=100, transaction="a")),
    )


FOUNDED: tuple[Step, ...] = (
    _root(PublishRulebook(scope="main", rulebook=HOUSE)),
    _root(ListProduct(scope="main", product="P", title="a", peril="a", asset=USDC, rulebook="house@1")),
    _root(RegisterPrincipal(scope="main", principal="a", public_key="11" * 32, streams=("*",))),
    _root(SetStakeTerms(scope="main", asset=USDC, stake_min_minor=1, notice=DAY, payout=HOUSE.claim.payout)),
    SETTLED,
    *(put for voter in (*VOTERS, HOLDER) for put in _stake(voter)),
    SETTLED,
    Put(
        RegisterCover(
            cover="C",
            product="P",
            holder=HOLDER,
            amount_minor=100,
            asset=USDC,
            starts_at=BASE,
            expires_at=BASE + 40 * DAY,
            rulebook="house@1",
        ),
        OWNED["cover.registrations"],
    ),
    Tick(3 * DAY),
)


def _report(producer: str, product: str = "P") -> Put:
    return Put(ReportIncident(product=product, reference="a", occurred_at=BASE + 3 * DAY, summary="a"), producer)


FILED: tuple[Step, ...] = (
    *FOUNDED,
    *(_report(producer) for producer in PRODUCERS[:3]),
    SETTLED,
    Tick(3 * DAY),
    Put(FileClaim(cover="C", claimant=HOLDER, incident="P/1", amount_minor=100), HOLDER),
    SETTLED,
)


def _vote(choice: str, voter: str) -> Put:
    content = {"case": "claim/C/1", "assessor": voter, "choice": choice, "clause": "§ 4"}
    return Put(CastVote.model_validate(content), voter)


RULED: tuple[Step, ...] = (
    Put(
        AddEvidence(
            cover="C",
            claimant=HOLDER,
            claim="C/1",
            evidence=(Evidence(sha256="0" * 64, media_type="text/plain", size_bytes=1, description="a"),),
        ),
        HOLDER,
    ),
    Put(ReduceClaim(cover="C", claimant=HOLDER, claim="C/1", amount_minor=60), HOLDER),
    SETTLED,
    *(_vote("accept", voter) for voter in VOTERS),
    _vote("accept", HOLDER),
    Tick(12 * HOUR),
    _vote("deny", VOTERS[0]),
    Tick(3 * DAY),
    Tick(DAY),
    SETTLED,
)


def _treasury(content: Input) -> Put:
    return Put(content, OWNED["payout.receipts"])


def _confirmed(attempt: int, amount_minor: int = 60) -> Put:
    return _treasury(
        ReceiptConfirmed(
            payout="C/1/1",
            attempt=attempt,
            transaction="a",
            asset=USDC,
            recipient=HOLDER,
            amount_minor=amount_minor,
        )
    )


PAID: tuple[Step, ...] = (
    _treasury(ReceiptSubmitted(payout="C/1/1", attempt=1, transaction="a")),
    _treasury(ReceiptFailed(payout="C/1/1", attempt=1, reason="a")),
    Tick(HOUR),
    _confirmed(2, 61),
    _confirmed(2),
    SETTLED,
)
SUSPENDED: tuple[Step, ...] = (
    Tick(DAY),
    _treasury(ResumePayout(payout="C/1/1", attempt=1, note="a")),
    _confirmed(2),
    SETTLED,
)
POOL_TERMS = PoolTerms(
    capacity_bps=30_000,
    product_bps=10_000,
    dependency_bps=10_000,
    floor_rate_bps=200,
    ceiling_rate_bps=1_000,
    reserve_bps=1_000,
    junior_bps=7_000,
    period_min=DAY,
    period_max=365 * DAY,
    notice=DAY,
    payout=HOUSE.claim.payout,
)
PROVIDER = SECOND_HOLDER


def _halt(sender: str) -> Put:
    return Put(HaltProduct(scope="main", product="Q", length=HOUR, reason="a"), sender)


def _buy(holder: str, amount_minor: int, transaction: str) -> Put:
    return _own(
        RequestCover(
            pool="M",
            product="Q",
            holder=holder,
            amount_minor=amount_minor,
            period=30 * DAY,
            premium_max_minor=100,
            transaction=transaction,
        )
    )


def _deposit(amount_minor: int, transaction: str) -> Put:
    return _own(
        DepositCapital(
            pool="M", provider=PROVIDER, tranche="junior", amount_minor=amount_minor, transaction=transaction
        )
    )


POOLED: tuple[Step, ...] = (
    *FOUNDED[:-2],
    _root(OpenPool(scope="main", pool="M", title="a", asset=USDC, terms=POOL_TERMS)),
    _root(
        ListProduct(
            scope="main",
            product="Q",
            title="a",
            peril="a",
            asset=USDC,
            rulebook="house@1",
            pool="M",
            dependencies=("b",),
            alarm_weight=1,
        )
    ),
    _root(SetGroup(scope="main", group="guardians", members=("a",))),
    SETTLED,
    _deposit(60, "a"),
    _buy(HOLDER, 100, "a"),
    _buy(PROVIDER, 50, "b"),
    SETTLED,
    Tick(4 * DAY),
)
"""A pool that has sold more than it holds."""


def _reported(*producers: str) -> tuple[Put, ...]:
    return tuple(
        Put(ReportIncident(product="Q", reference="a", occurred_at=BASE + 3 * DAY + HOUR, summary="a"), producer)
        for producer in producers
    )


CLAIMED: tuple[Step, ...] = (
    *POOLED,
    *_reported(*PRODUCERS[:3]),
    SETTLED,
    Tick(4 * DAY),
    _own(FileClaim(cover="M.1", claimant=HOLDER, incident="Q/1", amount_minor=100)),
    _own(FileClaim(cover="M.2", claimant=PROVIDER, incident="Q/1", amount_minor=50)),
    SETTLED,
)


def _vote_on(claim: str, choice: str, voter: str) -> Put:
    content = {"case": f"claim/{claim}", "assessor": voter, "choice": choice, "clause": "§ 4"}
    return _own(CastVote.model_validate(content))


SHORT: tuple[Step, ...] = (
    *CLAIMED,
    _own(Recuse(case="claim/M.1/1", assessor=VOTERS[0])),
    *(_vote_on("M.1/1", "accept", voter) for voter in VOTERS[1:]),
    _vote_on("M.2/1", "deny", VOTERS[0]),
    _vote_on("M.2/1", "accept", VOTERS[1]),
    _own(RequestStakeWithdrawal(assessor=VOTERS[1], amount_minor=50)),
    _root(HaltProduct(scope="main", product="Q", length=HOUR, reason="a")),
    _halt("a"),
    SETTLED,
    Put(OpenProduct(scope="main", product="Q", reason="a"), "a"),
    SETTLED,
    Tick(DAY),
    _own(WithdrawStake(assessor=VOTERS[1])),
    SETTLED,
    Tick(3 * DAY),
    Tick(DAY),
    SETTLED,
    Tick(12 * DAY),
    SETTLED,
    _own(DeclareInterests(assessor=VOTERS[0], products=("Q",))),
    *_reported("bot-4"),
    Put(
        ReceiptConfirmed(
            payout=f"stake:{VOTERS[1]}/1",
            attempt=1,
            transaction="a",
            asset=USDC,
            recipient=VOTERS[1],
            amount_minor=50,
        ),
        OWNED["payout.receipts"],
    ),
    SETTLED,
)
"""What the pool has is shared out at the cut-off, after a claim was drawn; stake leaves once its votes are settled."""


def _paid_out(payout: str, recipient: str, amount_minor: int) -> Put:
    return _treasury(
        ReceiptConfirmed(
            payout=payout, attempt=1, transaction="a", asset=USDC, recipient=recipient, amount_minor=amount_minor
        )
    )


HELD: tuple[Step, ...] = (
    *POOLED,
    *_reported(*PRODUCERS[:3]),
    SETTLED,
    Tick(4 * DAY),
    _own(FileClaim(cover="M.1", claimant=HOLDER, incident="Q/1", amount_minor=100)),
    SETTLED,
    *(_vote_on("M.1/1", "accept", voter) for voter in VOTERS),
    Tick(8 * DAY),
    SETTLED,
    _own(FileClaim(cover="M.2", claimant=PROVIDER, incident="Q/1", amount_minor=50)),
    SETTLED,
    Tick(2 * DAY + HOUR),
    SETTLED,
    _paid_out("M.1/1/1", HOLDER, 41),
    *(_vote_on("M.2/1", "deny", voter) for voter in VOTERS),
    Tick(2 * DAY),
    SETTLED,
    Tick(DAY),
    SETTLED,
    _paid_out("M.1/1/2", HOLDER, 21),
    SETTLED,
    _deposit(100, "c"),
    _buy(HOLDER, 50, "c"),
    SETTLED,
)
"""A claim is undecided at the cut-off; its share is held, and tops up the other when it is denied."""
LEAVES: tuple[Step, ...] = (
    *POOLED,
    _root(OpenPool(scope="main", pool="M", title="b", asset=USDC, terms=POOL_TERMS)),
    _deposit(140, "b"),
    _own(RequestCapitalWithdrawal(pool="M", provider=PROVIDER, tranche="junior", shares_minor=10)),
    Tick(DAY),
    _own(WithdrawCapital(pool="M", provider=PROVIDER, tranche="junior")),
    SETTLED,
    Tick(65 * DAY),
    Tick(40 * DAY),
    SETTLED,
)
"""Capital leaves, and covers lapse."""
FOUND: tuple[Step, ...] = (
    *POOLED,
    *_reported("bot-1"),
    SETTLED,
    _root(FindIncident(scope="main", incident="Q/1", finding="rejected", reason="a")),
    SETTLED,
)
"""Governance finds that an incident was none."""
SCRIPTS: tuple[tuple[Step, ...], ...] = (
    (*FILED, *RULED, *PAID),
    (*FILED, *RULED, *SUSPENDED),
    (*FILED, *(_vote("deny", voter) for voter in VOTERS), Tick(12 * HOUR), Tick(3 * DAY), Tick(DAY), SETTLED),
    (*FILED, Tick(3 * DAY), Tick(DAY), SETTLED),
    (*FILED, Put(WithdrawClaim(cover="C", claimant=HOLDER, claim="C/1"), HOLDER), SETTLED),
    (*FOUNDED, _report("bot-1"), SETTLED, Tick(HOUR), Tick(2 * HOUR), SETTLED, _report("bot-2"), SETTLED),
    (*FOUNDED[:3], _root(RevokePrincipal(scope="main", principal="a"))),
    SHORT,
    HELD,
    LEAVES,
    FOUND,
)
"""A claim paid, after failure and after silence, denied, drawn, withdrawn; an incident that was none; a pool."""

SERVICES = tuple(
    import_module(f"services.{name}.service").SERVICE
    for name in ("governance", "assessors", "incidents", "claims", "adjudication", "pools", "payouts")
)
ADJUDEX = World(
    SERVICES,
    OWNED,
    {
        Rulebook: PUBLISHED,
        "principal": mostly("a", "b", "root"),
    },
    SCRIPTS,
    {
        "governance": events_of(governance, import_module("schemas.principals")),
        "assessors": events_of(assessors),
        "incidents": events_of(incidents),
        "claims": events_of(claims),
        "adjudication": events_of(adjudication),
        "pools": events_of(pools),
        "payouts": events_of(payouts),
    },
    (1, HOUR, 12 * HOUR, DAY, 3 * DAY, 40 * DAY),
)
