"""What the tests of governance are made of."""

from typing import Self

from schemas.governance import (
    FindIncident,
    GovernanceInput,
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
from schemas.instants import DAY, SECOND
from schemas.pools import PoolTerms
from schemas.rulebook import HaltRules, Rulebook
from services.governance.decider import ScopeDecider
from services.governance.facts import Facts
from services.governance.rulebooks import parse_rulebook, read_shipped
from services.kernel.specification import Specification

HOUSE = parse_rulebook(read_shipped("house"))
USDC = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
ETHER = "eip155:1/slip44:60"
HOUR = 3600 * SECOND
KEY, OTHER_KEY = "11" * 32, "22" * 32


def account(number: int) -> str:
    return f"eip155:1:0x{number:040x}"


def version(number: int, name: str = "house", **changes: object) -> Rulebook:
    return HOUSE.model_copy(update={"name": name, "version": number, **changes})


def publish(number: int, name: str = "house", **changes: object) -> PublishRulebook:
    return PublishRulebook(scope="main", rulebook=version(number, name, **changes))


def product(**changes: object) -> ListProduct:
    terms = {"product": "lend", "title": "Lend", "peril": "exploit", "asset": USDC, "rulebook": "house@1"}
    return ListProduct.model_validate(terms | changes)


def principal(**changes: object) -> RegisterPrincipal:
    watch = RegisterPrincipal(
        scope="main",
        principal="watch",
        public_key=KEY,
        streams=("incident.reports",),
        accounts=(account(1),),
    )
    return watch.model_copy(update=changes)


def revocation(principal: str = "watch") -> RevokePrincipal:
    return RevokePrincipal(scope="main", principal=principal)


def pool(**changes: object) -> OpenPool:
    """A pool with these changes to it or its terms."""
    terms = PoolTerms(
        capacity_bps=20_000,
        product_bps=2_000,
        dependency_bps=4_000,
        floor_rate_bps=200,
        ceiling_rate_bps=1_000,
        reserve_bps=1_000,
        junior_bps=5_000,
        period_min=28 * DAY,
        period_max=365 * DAY,
        notice=14 * DAY,
        payout=HOUSE.claim.payout,
    )
    own = {name: changes.pop(name) for name in ("pool", "title", "asset") if name in changes}
    content = {"pool": "main", "title": "Main", "asset": USDC, "terms": terms.model_copy(update=changes)}
    return OpenPool.model_validate(content | own)


def stake_terms(**changes: object) -> SetStakeTerms:
    terms = SetStakeTerms(asset=USDC, stake_min_minor=100, notice=14 * DAY, payout=HOUSE.claim.payout)
    return terms.model_copy(update=changes)


def group(*members: str, group: str = "guardians") -> SetGroup:
    return SetGroup(group=group, members=members)


def halt(length: int = 6 * HOUR, reason: str = "withdrawals hang", product: str = "lend") -> HaltProduct:
    return HaltProduct(product=product, length=length, reason=reason)


def open_product(reason: str = "they run again", product: str = "lend") -> OpenProduct:
    return OpenProduct(product=product, reason=reason)


def finding(incident: str = "lend/1", finding: str = "confirmed", reason: str = "seen on chain") -> FindIncident:
    return FindIncident.model_validate({"incident": incident, "finding": finding, "reason": reason})


class ScopeSpecification(Specification):
    """The scope `main`, acted on by root."""

    def __init__(self) -> None:
        super().__init__(ScopeDecider(), facts=Facts(), key="scope/main")

    def root(self, *actions: GovernanceInput) -> Self:
        for action in actions:
            self.when(action, at=0, sender="root")
        return self


NOW = 1000 * HOUR
NOTICE = 10_000
RULES = HaltRules(group="guardians", persons=2, length_max=24 * HOUR, notice=NOTICE, confirm_within=HOUR)
"""As in the house rulebook."""
GUARDIANS = ("ann", "bob", "cid")


class HaltSpecification(ScopeSpecification):
    """The product `lend`, whose rulebook lets `ann`, `bob` and `cid` halt it; `dan` is a principal beside them."""

    def __init__(self, rules: HaltRules | None = RULES, **changes: object) -> None:
        super().__init__()
        rules = rules and rules.model_copy(update=changes)
        people = [principal(principal=name) for name in (*GUARDIANS, "dan")]
        self.root(publish(1, halt=rules), publish(2), product(), *people, group(*GUARDIANS))

    def act(self, sender: str, action: GovernanceInput, at: int = NOW, id: str = "") -> Self:  # noqa: A002
        return self.when(action, at=at, sender=sender, id=id or None)


def halted(at: int = NOW) -> HaltSpecification:
    """A halt that two asked for at `at`, for six hours from ten seconds after it."""
    return HaltSpecification().act("ann", halt(), at).act("bob", halt(), at).then_types("product.halted.v1")
