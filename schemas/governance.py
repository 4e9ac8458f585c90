"""Governance: rulebooks, products, pools, groups, principals, halts, findings, and the terms of stakes."""

from typing import Annotated, Literal

from pydantic import Field

from .envelope import Event, Input, InputTopic, message
from .ids import (
    AccountId,
    AssetId,
    GroupId,
    Hex32,
    IncidentId,
    Name,
    PoolId,
    PrincipalId,
    ProductId,
    RulebookId,
    Sha256,
    Text,
    scope_key,
)
from .instants import Duration, Instant
from .money import AmountMinor
from .outcomes import NextStep
from .pools import PoolTerms
from .principals import PrincipalRegistered, PrincipalRevoked
from .problems import spelled
from .rulebook import PayoutTerms, Rulebook

__all__ = [
    "ACTIONS",
    "FindIncident",
    "GroupSet",
    "HaltProduct",
    "HaltRequested",
    "IncidentFound",
    "ListProduct",
    "OpenPool",
    "OpenProduct",
    "PoolListed",
    "PrincipalRegistered",
    "PrincipalRevoked",
    "ProductHalted",
    "ProductListed",
    "ProductOpened",
    "PublishRulebook",
    "RegisterPrincipal",
    "RevokePrincipal",
    "RulebookPublished",
    "SetGroup",
    "SetStakeTerms",
    "StakeTermsSet",
]

PublicKey = Hex32
"""An Ed25519 public key, 32 bytes in hex."""


class GovernanceInput(Input):
    """An act of governance in a scope: the one there is, so that an id means one thing in the whole space."""

    scope: Literal["main"] = "main"

    def key(self) -> str:
        """Return the scope's aggregate."""
        return scope_key(self.scope)


@message("rulebook.publish.v1")
class PublishRulebook(GovernanceInput):
    """Publish one version of a rulebook; versions of a name count up from 1 without gaps."""

    rulebook: Rulebook


@message("product.list.v1")
class ListProduct(GovernanceInput):
    """List a product, or change its title, rulebook, dependencies or alarm level from now on.

    `pool` sells its cover; without one, covers come from a register kept elsewhere. `dependencies` are what it stands
    on (a bridge, an oracle, a chain), by any name that products share. A report whose producer weighs at least
    `alarm_weight` is credible: it stops sales and exits; without one, none does.
    """

    product: ProductId
    title: Text
    peril: Text
    asset: AssetId
    rulebook: RulebookId
    pool: PoolId | None = None
    dependencies: Annotated[tuple[Name, ...], Field(max_length=32)] = ()
    alarm_weight: Annotated[int, Field(ge=1)] | None = None


@message("principal.register.v1")
class RegisterPrincipal(GovernanceInput):
    """Register a key with the streams it may write and the accounts it may act for (`*`: all)."""

    principal: PrincipalId
    public_key: PublicKey
    streams: Annotated[tuple[str, ...], Field(min_length=1)]
    accounts: tuple[AccountId, ...] | Annotated[str, spelled(r"^\*$", '"*", or a list of accounts')] = ()


@message("principal.revoke.v1")
class RevokePrincipal(GovernanceInput):
    """Take a key back; what it vouched for before stays decided."""

    principal: PrincipalId


@message("pool.open.v1")
class OpenPool(GovernanceInput):
    """Open a pool, or change what it sells and how; its asset is fixed."""

    pool: PoolId
    title: Text
    asset: AssetId
    terms: PoolTerms


@message("group.set.v1")
class SetGroup(GovernanceInput):
    """Say who the members of a group are, from now on; none ends it."""

    group: GroupId
    members: Annotated[tuple[PrincipalId, ...], Field(max_length=100)]


@message("stake.set-terms.v1")
class SetStakeTerms(GovernanceInput):
    """Say what assessors put at stake: the asset (fixed once set), the least of it, and the notice of leaving."""

    asset: AssetId
    stake_min_minor: AmountMinor
    notice: Duration
    payout: PayoutTerms


@message("product.halt.v1")
class HaltProduct(GovernanceInput):
    """Ask for a halt of a product; it takes as many different persons as the product's rulebook says."""

    product: ProductId
    length: Duration
    reason: Text


@message("product.open.v1")
class OpenProduct(GovernanceInput):
    """End a halt before its time; one person who may ask for a halt may."""

    product: ProductId
    reason: Text


@message("incident.find.v1")
class FindIncident(GovernanceInput):
    """Decide an incident that is still open by a finding, instead of its procedure."""

    incident: IncidentId
    finding: Literal["confirmed", "rejected"]
    reason: Text


@message("rulebook.published.v1")
class RulebookPublished(Event):
    """A rulebook version exists; `sha256` is of its canonical bytes.

    `changes` names what differs from the version before it, `path: before → after`.
    """

    rulebook: Rulebook
    sha256: Sha256
    changes: tuple[str, ...] = ()
    next: NextStep | None = None


@message("product.listed.v1")
class ProductListed(Event):
    """A product exists, or what may change of it changed; `rulebook_sha256` is of the rulebook new cover gets."""

    product: ProductId
    title: Text
    peril: Text
    asset: AssetId
    rulebook: RulebookId
    rulebook_sha256: Sha256
    pool: PoolId | None = None
    dependencies: tuple[Name, ...] = ()
    alarm_weight: int | None = None
    next: NextStep | None = None


@message("pool.listed.v1")
class PoolListed(Event):
    """Governance wants this pool, or these terms of it; the pool's own log says that it is open."""

    pool: PoolId
    title: Text
    asset: AssetId
    terms: PoolTerms
    next: NextStep | None = None


@message("group.set-to.v1")
class GroupSet(Event):
    """The members of a group from now on."""

    group: GroupId
    members: tuple[PrincipalId, ...]
    next: NextStep | None = None


@message("stake.terms-set.v1")
class StakeTermsSet(Event):
    """What assessors put at stake from now on."""

    asset: AssetId
    stake_min_minor: AmountMinor
    notice: Duration
    payout: PayoutTerms
    next: NextStep | None = None


@message("product.halt-requested.v1")
class HaltRequested(Event):
    """A person asked for a halt; `persons_missing` more have to ask for the same before `lapses_at`.

    `request` is the id of the input that asked, here and in what follows it: it counts once, for ever.
    """

    product: ProductId
    length: Duration
    reason: Text
    by: PrincipalId
    request: str = ""
    persons_missing: int
    lapses_at: Instant
    next: NextStep | None = None


@message("product.halted.v1")
class ProductHalted(Event):
    """A product is halted in [effective_at, until): no sale, no vote, no window runs. Broadcast."""

    product: ProductId
    reason: Text
    by: tuple[PrincipalId, ...]
    request: str = ""
    effective_at: Instant
    until: Instant
    next: NextStep | None = None


@message("product.opened.v1")
class ProductOpened(Event):
    """A halt that began at `effective_at` ends at `until`, before its time, but not without notice. Broadcast."""

    product: ProductId
    reason: Text
    by: PrincipalId
    request: str = ""
    effective_at: Instant
    until: Instant
    next: NextStep | None = None


@message("incident.found.v1")
class IncidentFound(Event):
    """Governance's finding on an incident; incidents decides it by that if it is still open."""

    incident: IncidentId
    finding: Literal["confirmed", "rejected"]
    reason: Text
    next: NextStep | None = None


ACTIONS = InputTopic(
    "governance.actions",
    (
        PublishRulebook,
        ListProduct,
        OpenPool,
        SetGroup,
        SetStakeTerms,
        HaltProduct,
        OpenProduct,
        FindIncident,
        RegisterPrincipal,
        RevokePrincipal,
    ),
)
