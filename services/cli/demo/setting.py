"""The setting: rules, keys, stakes and covers, before anything happens."""

from collections.abc import Iterable
from typing import Final

from schemas.adjudication import VOTES
from schemas.claims import FILINGS, REGISTRATIONS, RegisterCover
from schemas.envelope import Input
from schemas.governance import (
    ACTIONS,
    GovernanceInput,
    ListProduct,
    ProfileAssessor,
    PublishRulebook,
    RegisterPrincipal,
)
from schemas.incidents import REPORTS
from schemas.instants import DAY
from schemas.rulebook import Rulebook
from services.cli.demo.cast import ASSET, BOTS, COVERS_MINOR, GATEWAY, PRODUCT, STAKES_MINOR, account, key
from services.cli.demo.seen import Seen
from services.cli.demo.step import Post, Step, at, counted_from, known
from services.governance.rulebooks import parse_rulebook, read_shipped

_SCOPE: Final = "main"


def setting() -> Iterable[Step]:
    """Return what governance and the registrar of covers do on the first day."""
    rulebook = parse_rulebook(read_shipped("house"))
    yield Step(
        at(1, "09:00"),
        "root",
        (Post("governance-rulebook", ACTIONS.name, None, lambda seen: _rules(seen, rulebook)),),
        "A space begins empty. Governance, whose key is called root, publishes the rules and says who may speak.",
    )
    product = ListProduct(
        scope=_SCOPE,
        product=PRODUCT,
        title="Harbor vault on Ethereum",
        peril="smart-contract exploit",
        asset=ASSET,
        rulebook=rulebook.id,
    )
    yield Step(at(1, "09:10"), "root", (_governance("product", product),))
    allowed: dict[str, tuple[str, ...]] = dict.fromkeys(BOTS, (REPORTS.name,))
    allowed[GATEWAY] = (FILINGS.name, VOTES.name)
    principals = [
        RegisterPrincipal(
            scope=_SCOPE,
            principal=principal,
            public_key=key(principal).public_key().public_bytes_raw().hex(),
            streams=streams,
            accounts="*" if principal == GATEWAY else (),
        )
        for principal, streams in allowed.items()
    ]
    yield Step(at(1, "09:20"), "root", tuple(_governance(action.principal, action) for action in principals))
    stakes = [
        _governance(name, ProfileAssessor(scope=_SCOPE, assessor=account(name), stake_minor=stake_minor))
        for name, stake_minor in STAKES_MINOR.items()
    ]
    yield Step(at(1, "09:30"), "root", tuple(stakes))
    covers = tuple(_cover(holder, amount_minor, rulebook) for holder, amount_minor in COVERS_MINOR.items())
    set_up = counted_from(stakes[-1].id, 1, "09:30")
    yield Step(set_up(1, "12:00"), "registrar", covers)


def _rules(seen: Seen, rulebook: Rulebook) -> GovernanceInput:
    return PublishRulebook(scope=_SCOPE, rulebook=seen.calendar.rules(rulebook))


def _cover(holder: str, amount_minor: int, rulebook: Rulebook) -> Post:
    cover = f"cover-{holder}"

    def content(seen: Seen) -> Input:
        calendar = seen.calendar
        return RegisterCover(
            cover=cover,
            product=PRODUCT,
            holder=account(holder),
            amount_minor=amount_minor,
            asset=ASSET,
            starts_at=calendar.opening - calendar.span(60 * DAY),
            expires_at=calendar.opening + calendar.span(305 * DAY),
            rulebook=rulebook.id,
        )

    return Post(f"register-{cover}", REGISTRATIONS.name, None, content)


def _governance(name: str, action: GovernanceInput) -> Post:
    return Post(f"governance-{name}", ACTIONS.name, None, known(action))
