"""The setting: rules, keys, capital, stakes and cover, before anything happens."""

from collections.abc import Iterable
from typing import Final

from schemas.adjudication import CASE_ACTIONS, VOTES
from schemas.assessors import ACTIONS as ASSESSOR_ACTIONS
from schemas.assessors import AddStake, RegisterAssessor
from schemas.claims import FILINGS
from schemas.envelope import Event, Input
from schemas.governance import (
    ACTIONS,
    GovernanceInput,
    ListProduct,
    OpenPool,
    ProductListed,
    PublishRulebook,
    RegisterPrincipal,
    RulebookPublished,
    SetGroup,
    SetStakeTerms,
    StakeTermsSet,
)
from schemas.incidents import REPORTS
from schemas.instants import DAY
from schemas.pools import MOVEMENTS, REQUESTS, DepositCapital, PoolOpened, PoolTerms, RequestCover, Tranche
from schemas.principals import PrincipalRegistered
from schemas.rulebook import Rulebook
from services.cli.demo.cast import (
    ASSET,
    BOTS,
    CAPITAL_MINOR,
    COVERS_MINOR,
    GATEWAY,
    GUARDIANS,
    POOL,
    PRODUCT,
    STAKES_MINOR,
    account,
    digest,
    key,
    usdc,
)
from services.cli.demo.seen import Seen
from services.cli.demo.step import Post, Step, When, after, at, known, once
from services.governance.rulebooks import parse_rulebook, read_shipped

_SCOPE: Final = "main"
_HOUSE = parse_rulebook(read_shipped("house"))
_YEAR = 365 * DAY
"""A year is a year in every calendar: a premium is counted by it."""
_PREMIUM_MAX_MINOR = usdc(5_000)


def setting() -> Iterable[Step]:
    """Return what governance, assessors, capital and buyers do on the first day."""
    yield Step(
        at(1, "09:00"),
        "root",
        (Post("governance-rulebook", ACTIONS.name, None, _published),),
        "A space begins empty. Governance, whose key is called root, publishes the rules and says who may speak.",
    )
    yield Step(at(1, "09:05"), "root", (Post("governance-pool", ACTIONS.name, None, _pool),))
    yield Step(at(1, "09:10"), "root", (_governance("product", _product()),))
    yield Step(at(1, "09:20"), "root", tuple(_governance(action.principal, action) for action in _principals()))
    group = SetGroup(scope=_SCOPE, group="guardians", members=GUARDIANS)
    yield Step(at(1, "09:25"), "root", (_governance("guardians", group),))
    yield Step(at(1, "09:26"), "root", (Post("governance-stakes", ACTIONS.name, None, _stakes),))
    yield Step(
        _when_known(at(1, "09:30"), "assessors", PrincipalRegistered, StakeTermsSet, times=len(_principals())),
        "assessors",
        tuple(post for name in STAKES_MINOR for post in _joins(name)),
        "Assessors register and put money at stake. The gateway that vouches for them says that it is there.",
    )
    open_pool = once(lambda seen: bool(seen.events(PoolOpened)), at(1, "10:00"))
    tranches: tuple[Tranche, ...] = ("junior", "senior")
    yield Step(
        _when_known(open_pool, "pools", PrincipalRegistered, times=len(_principals())),
        "providers",
        tuple(deposit(name, tranche) for name, tranche in zip(CAPITAL_MINOR, tranches, strict=True)),
        "Capital comes in: 30,000 that bears losses first, 20,000 that bears them last.",
    )
    begun = _when_known(after("sven-deposits", "2h"), "pools", RulebookPublished, ProductListed)
    yield Step(
        begun,
        "alice",
        (buys("alice-buys", "alice", COVERS_MINOR["alice"]),),
        "Cover is sold. Its price rises with what the pool has sold already; its rulebook is pinned for ever.",
    )
    yield Step(after("alice-buys", "5m"), "carol", (buys("carol-buys", "carol", COVERS_MINOR["carol"]),))
    yield Step(
        after("carol-buys", "5m"),
        "erin",
        (buys("erin-buys-too-much", "erin", usdc(100_000)),),
        "With what is sold already, this would exceed three times the capital. The refusal says what would fit.",
    )
    yield Step(after("erin-buys-too-much", "5m"), "erin", (buys("erin-buys", "erin", COVERS_MINOR["erin"]),))


def deposit(provider: str, tranche: Tranche, amount_minor: int | None = None) -> Post:
    """Put capital into the pool."""
    content = DepositCapital(
        pool=POOL,
        provider=account(provider),
        tranche=tranche,
        amount_minor=CAPITAL_MINOR[provider] if amount_minor is None else amount_minor,
        transaction="0x" + digest("deposit", provider).hex(),
    )
    return Post(f"{provider}-deposits", MOVEMENTS.name, GATEWAY, known(content))


def buys(input_id: str, holder: str, amount_minor: int) -> Post:
    """Ask the pool for a year of cover."""
    content = RequestCover(
        pool=POOL,
        product=PRODUCT,
        holder=account(holder),
        amount_minor=amount_minor,
        period=_YEAR,
        premium_max_minor=_PREMIUM_MAX_MINOR,
        transaction="0x" + digest("premium", input_id).hex(),
    )
    return Post(input_id, REQUESTS.name, GATEWAY, known(content))


def _when_known(when: When, service: str, *facts: type[Event], times: int = 1) -> When:
    """Wait until every partition of a service has noted the last so many facts of the first kind, one of each other."""
    first, *others = facts
    return once(
        lambda seen: (
            seen.noted(service, first.wire) >= times and all(seen.noted(service, kind.wire) for kind in others)
        ),
        when,
    )


def _published(seen: Seen) -> GovernanceInput:
    return PublishRulebook(scope=_SCOPE, rulebook=_rules(seen))


def _rules(seen: Seen) -> Rulebook:
    return seen.calendar.rules(_HOUSE)


def _pool(seen: Seen) -> Input:
    calendar = seen.calendar
    terms = PoolTerms(
        capacity_bps=30_000,
        product_bps=10_000,
        dependency_bps=10_000,
        floor_rate_bps=200,
        ceiling_rate_bps=1_000,
        reserve_bps=1_000,
        junior_bps=7_000,
        period_min=30 * DAY,
        period_max=_YEAR,
        notice=calendar.whole(7 * DAY),
        payout=_rules(seen).claim.payout,
    )
    return OpenPool(scope=_SCOPE, pool=POOL, title="Harbor pool", asset=ASSET, terms=terms)


def _stakes(seen: Seen) -> Input:
    return SetStakeTerms(
        scope=_SCOPE,
        asset=ASSET,
        stake_min_minor=usdc(1_000),
        notice=seen.calendar.whole(DAY),
        payout=_rules(seen).claim.payout,
    )


def _product() -> ListProduct:
    return ListProduct(
        scope=_SCOPE,
        product=PRODUCT,
        title="Harbor vault on Ethereum",
        peril="smart-contract exploit",
        asset=ASSET,
        rulebook=_HOUSE.id,
        pool=POOL,
        dependencies=("ethereum", "chainlink"),
        alarm_weight=1,
    )


def _principals() -> list[RegisterPrincipal]:
    allowed: dict[str, tuple[str, ...]] = dict.fromkeys(BOTS, (REPORTS.name,))
    allowed |= dict.fromkeys(GUARDIANS, (ACTIONS.name,))
    people = (FILINGS, VOTES, CASE_ACTIONS, ASSESSOR_ACTIONS, REQUESTS, MOVEMENTS)
    allowed[GATEWAY] = tuple(stream.name for stream in people)
    return [
        RegisterPrincipal(
            scope=_SCOPE,
            principal=principal,
            public_key=key(principal).public_key().public_bytes_raw().hex(),
            streams=streams,
            accounts="*" if principal == GATEWAY else (),
        )
        for principal, streams in allowed.items()
    ]


def _joins(name: str) -> tuple[Post, Post]:
    register = RegisterAssessor(assessor=account(name))
    stake = AddStake(
        assessor=account(name),
        amount_minor=STAKES_MINOR[name],
        transaction="0x" + digest("stake", name).hex(),
    )
    return (
        Post(f"{name}-registers", ASSESSOR_ACTIONS.name, GATEWAY, known(register)),
        Post(f"{name}-stakes", ASSESSOR_ACTIONS.name, GATEWAY, known(stake)),
    )


def _governance(name: str, action: GovernanceInput) -> Post:
    return Post(f"governance-{name}", ACTIONS.name, None, known(action))
