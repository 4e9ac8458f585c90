"""What is given: the public inputs it stands for, and when they are posted before the start."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from schemas.assessors import AddStake, DeclareInterests, RegisterAssessor
from schemas.claims import RegisterCover
from schemas.envelope import Input
from schemas.governance import (
    ACTIONS,
    ListProduct,
    OpenPool,
    PublishRulebook,
    RegisterPrincipal,
    SetGroup,
    SetStakeTerms,
)
from schemas.incidents import REPORTS
from schemas.pools import DepositCapital, PoolTerms, RequestCover
from schemas.problems import TOML, problems, shown
from schemas.rulebook import PayoutTerms, Rulebook
from schemas.topics import INPUTS, OWNED
from services.cli.scenario.model import SETUP_BEFORE, TYPES, Content, CoverPart, PoolPart, Scenario, ScenarioError
from services.cli.scenario.names import ASSET, GATEWAY, account, public_key
from services.governance.rulebooks import RulebookError, parse_rulebook, read_rulebook, read_shipped

GUARDIANS = "guardians"
"""The group that the house rulebook lets halt a product."""
HOUSE = "house"
TERMS: Content = {
    "capacity_bps": 20_000,
    "product_bps": 10_000,
    "dependency_bps": 10_000,
    "floor_rate_bps": 200,
    "ceiling_rate_bps": 200,
    "reserve_bps": 2_000,
    "junior_bps": 5_000,
    "period_min": "28d",
    "period_max": "365d",
    "notice": "30d",
}
"""The terms of a pool that does not say otherwise: twice its capital, at two percent a year."""


class Entry(NamedTuple):
    """An input that something given stands for: where that stands in the file, when it is posted, and by whom."""

    path: str
    at: int
    principal: str | None
    content: Input

    @property
    def stream(self) -> str:
        """The stream that takes it."""
        return TYPES[self.content.wire][0]


def rulebook_of(scenario: Scenario, folder: Path) -> Rulebook:
    """Return the rulebook of a scenario in a folder; raises ScenarioError, whose problems begin with the path."""
    part = scenario.rulebook
    try:
        if part.file is not None:
            text = (folder / part.file).read_text(encoding="utf-8")
        else:
            text = read_shipped(part.name or HOUSE)
        base = parse_rulebook(text)
    except OSError as error:
        raise ScenarioError(f"rulebook.file: {shown(part.file)}: must be a file: {error}") from error
    except RulebookError as error:
        where = "rulebook.file" if part.file is not None else "rulebook.name"
        raise ScenarioError(*(f"{where}: {problem}" for problem in error.problems)) from error
    content: Any = tomllib.loads(text)
    content = _changed(content, part.changes, "rulebook.changes")
    for path in part.without:
        _leave_away(content, path)
    try:
        return read_rulebook(content) if part.changes or part.without else base
    except RulebookError as error:
        raise ScenarioError(*(f"rulebook.changes.{problem}" for problem in error.problems)) from error


def _changed(content: Any, changes: Content, path: str) -> Any:  # noqa: ANN401 - TOML
    """Lay changes over a rulebook's content, place by place."""
    for name, change in changes.items():
        at: Any = name
        if isinstance(content, list):
            if not name.isdecimal() or int(name) >= len(content):
                raise ScenarioError(f"{path}.{name}: unknown: must be a place from 0 to {len(content) - 1}")
            at = int(name)
        held = content[at] if isinstance(content, list) else content.get(at)
        nested = isinstance(change, dict) and isinstance(held, (dict, list))
        content[at] = _changed(held, change, f"{path}.{name}") if nested else change
    return content


def _leave_away(content: Any, path: str) -> None:  # noqa: ANN401 - TOML
    *parents, last = path.split(".")
    for part in parents:
        content = content[int(part)] if isinstance(content, list) and part.isdecimal() else content.get(part, {})
    if not isinstance(content, dict) or last not in content:
        raise ScenarioError(f"rulebook.without: {shown(path)}: must be the path of something that is there")
    del content[last]


def people_of(scenario: Scenario) -> list[str]:
    """List every name that stands for an account."""
    given = scenario.given
    names = [assessor.name for assessor in given.assessors]
    names += [capital.provider for pool in given.pools for capital in pool.capital]
    names += [cover.holder for cover in given.covers]
    names += [linked for assessor in given.assessors for linked in assessor.linked]
    return [*names, *given.people]


def entries(scenario: Scenario, rulebook: Rulebook) -> list[Entry]:
    """List the inputs that everything given stands for, in the order in which they are posted."""
    found = [*_governance(scenario, rulebook), *_assessors(scenario), *_capital(scenario), *_covers(scenario, rulebook)]
    return sorted(found, key=lambda entry: entry.at)  # stable: what comes at one instant stays in order


def _governance(scenario: Scenario, rulebook: Rulebook) -> Iterator[Entry]:
    at, given = scenario.start - SETUP_BEFORE, scenario.given
    yield Entry("rulebook", at, None, PublishRulebook(rulebook=rulebook))
    open_streams = tuple(stream.name for stream in INPUTS if stream.name not in OWNED and stream.name != REPORTS.name)
    yield Entry("given", at, None, _principal(GATEWAY, open_streams, every_account=True))
    for number, bot in enumerate(given.bots):
        yield Entry(f"given.bots.{number}", at, None, _principal(bot, (REPORTS.name,)))
    for number, guardian in enumerate(given.guardians):
        yield Entry(f"given.guardians.{number}", at, None, _principal(guardian, (ACTIONS.name,)))
    if given.guardians:
        yield Entry("given.guardians", at, None, SetGroup(group=GUARDIANS, members=given.guardians))
    terms, payout = given.stake_terms, rulebook.claim.payout
    if given.assessors or "stake_terms" in given.model_fields_set:
        stake = SetStakeTerms(asset=ASSET, stake_min_minor=terms.stake_min, notice=terms.notice, payout=payout)
        yield Entry("given.stake_terms", at, None, stake)
    for number, pool in enumerate(given.pools):
        opened = OpenPool(
            pool=pool.pool, title=pool.title or pool.pool, asset=ASSET, terms=_terms(pool, number, payout)
        )
        yield Entry(f"given.pools.{number}", at, None, opened)
    for number, product in enumerate(given.products):
        listed = ListProduct(
            product=product.product,
            title=product.title or product.product,
            peril=product.peril,
            asset=ASSET,
            rulebook=rulebook.id,
            pool=product.pool,
            dependencies=product.dependencies,
            alarm_weight=product.alarm_weight,
        )
        yield Entry(f"given.products.{number}", at, None, listed)


def _principal(name: str, streams: tuple[str, ...], *, every_account: bool = False) -> RegisterPrincipal:
    return RegisterPrincipal(
        principal=name, public_key=public_key(name), streams=streams, accounts="*" if every_account else ()
    )


def _terms(pool: PoolPart, number: int, payout: PayoutTerms) -> PoolTerms:
    content = {"payout": json.loads(payout.to_bytes()), **TERMS, **pool.terms}
    try:
        return PoolTerms.model_validate_json(json.dumps(content))
    except ValidationError as error:
        found = problems(error, PoolTerms, TOML)
        raise ScenarioError(*(f"given.pools.{number}.terms.{problem}" for problem in found)) from error


def _assessors(scenario: Scenario) -> Iterator[Entry]:
    at = scenario.start - SETUP_BEFORE
    for number, part in enumerate(scenario.given.assessors):
        path, assessor = f"given.assessors.{number}", account(part.name)
        linked = tuple(map(account, part.linked))
        yield Entry(path, at, GATEWAY, RegisterAssessor(assessor=assessor, linked_accounts=linked))
        if part.stake:
            stake = AddStake(assessor=assessor, amount_minor=part.stake, transaction=f"stake-{part.name}")
            yield Entry(f"{path}.stake", at, GATEWAY, stake)
        if part.interests:
            interests = DeclareInterests(assessor=assessor, products=part.interests, linked_accounts=linked)
            yield Entry(f"{path}.interests", at, GATEWAY, interests)


def _capital(scenario: Scenario) -> Iterator[Entry]:
    at = scenario.start - SETUP_BEFORE
    for number, pool in enumerate(scenario.given.pools):
        for place, part in enumerate(pool.capital):
            deposit = DepositCapital(
                pool=pool.pool,
                provider=account(part.provider),
                tranche=part.tranche,
                amount_minor=part.amount,
                transaction=f"capital-{pool.pool}-{place}",
            )
            yield Entry(f"given.pools.{number}.capital.{place}", at, GATEWAY, deposit)


def _covers(scenario: Scenario, rulebook: Rulebook) -> Iterator[Entry]:
    pools = {product.product: product.pool for product in scenario.given.products}
    for number, cover in enumerate(scenario.given.covers):
        at, pool = scenario.start - cover.age, pools[cover.product]
        path = f"given.covers.{number}"
        if pool is None:
            yield Entry(path, at, None, _registered(cover, at, rulebook))
            continue
        requested = RequestCover(
            pool=pool,
            product=cover.product,
            holder=account(cover.holder),
            amount_minor=cover.amount,
            period=cover.period,
            premium_max_minor=cover.amount,
            transaction=f"premium-{number}",
        )
        yield Entry(path, at, GATEWAY, requested)


def _registered(cover: CoverPart, at: int, rulebook: Rulebook) -> RegisterCover:
    assert cover.cover is not None
    return RegisterCover(
        cover=cover.cover,
        product=cover.product,
        holder=account(cover.holder),
        amount_minor=cover.amount,
        asset=ASSET,
        starts_at=at,
        expires_at=at + cover.period,
        rulebook=rulebook.id,
    )
