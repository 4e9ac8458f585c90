"""What the tests of governance are made of."""

from schemas.governance import (
    GovernanceInput,
    ListProduct,
    PublishRulebook,
    RegisterPrincipal,
    RevokePrincipal,
)
from schemas.rulebook import Rulebook
from services.governance.decider import ScopeDecider
from services.governance.facts import Facts
from services.governance.rulebooks import parse_rulebook, read_shipped
from services.kernel.specification import Specification

HOUSE = parse_rulebook(read_shipped("house"))
USDC = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
KEY, OTHER_KEY = "11" * 32, "22" * 32


def account(number: int) -> str:
    return f"eip155:1:0x{number:040x}"


def version(number: int, name: str = "house", **changes: object) -> Rulebook:
    return HOUSE.model_copy(update={"name": name, "version": number, **changes})


def publish(number: int, name: str = "house", **changes: object) -> PublishRulebook:
    return PublishRulebook(scope="main", rulebook=version(number, name, **changes))


def product(**changes: str) -> ListProduct:
    terms = {"product": "lend", "title": "Lend", "peril": "exploit", "asset": USDC, "rulebook": "house@1"}
    return ListProduct(scope="main", **(terms | changes))


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


class ScopeSpecification(Specification):
    """The scope `main`, acted on by root."""

    def __init__(self) -> None:
        super().__init__(ScopeDecider(), facts=Facts(), key="scope/main")

    def root(self, *actions: GovernanceInput) -> "ScopeSpecification":
        for action in actions:
            self.when(action, at=0, sender="root")
        return self
