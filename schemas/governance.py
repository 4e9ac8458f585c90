"""Governance: rulebooks, products, principals, and assessors' profiles until assessors are a service of their own."""

from typing import Annotated, Literal

from pydantic import Field

from .envelope import Event, Input, InputTopic, message
from .ids import AccountId, AssetId, PrincipalId, ProductId, RulebookId, Sha256, Text, scope_key
from .money import AmountMinor
from .outcomes import NextStep
from .principals import PrincipalRegistered, PrincipalRevoked
from .rulebook import Rulebook

__all__ = [
    "ACTIONS",
    "AssessorProfiled",
    "ListProduct",
    "PrincipalRegistered",
    "PrincipalRevoked",
    "ProductListed",
    "ProfileAssessor",
    "PublishRulebook",
    "RegisterPrincipal",
    "RevokePrincipal",
    "RulebookPublished",
]

StakeMinor = Annotated[AmountMinor, Field(lt=2**128)]
"""A stake in base units, bounded so that no sum of stakes leaves an amount."""
PublicKey = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
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
    """List a product, or name the rulebook that new cover of it gets from now on."""

    product: ProductId
    title: Text
    peril: Text
    asset: AssetId
    rulebook: RulebookId


@message("principal.register.v1")
class RegisterPrincipal(GovernanceInput):
    """Register a key with the streams it may write and the accounts it may act for (`*`: all)."""

    principal: PrincipalId
    public_key: PublicKey
    streams: Annotated[tuple[str, ...], Field(min_length=1)]
    accounts: tuple[AccountId, ...] | Annotated[str, Field(pattern=r"^\*$")] = ()


@message("principal.revoke.v1")
class RevokePrincipal(GovernanceInput):
    """Take a key back; what it vouched for before stays decided."""

    principal: PrincipalId


@message("assessor.profile.v1")
class ProfileAssessor(GovernanceInput):
    """Set an assessor's stake and the accounts linked to it; a stake of zero ends the right to vote."""

    assessor: AccountId
    stake_minor: StakeMinor
    linked_accounts: tuple[AccountId, ...] = ()


@message("rulebook.published.v1")
class RulebookPublished(Event):
    """A rulebook version exists; `sha256` is of its canonical bytes."""

    rulebook: Rulebook
    sha256: Sha256
    next: NextStep | None = None


@message("product.listed.v1")
class ProductListed(Event):
    """A product exists, or new cover of it gets another rulebook."""

    product: ProductId
    title: Text
    peril: Text
    asset: AssetId
    rulebook: RulebookId
    next: NextStep | None = None


@message("assessor.profiled.v1")
class AssessorProfiled(Event):
    """An assessor's stake and linked accounts, as they are from now on."""

    assessor: AccountId
    stake_minor: AmountMinor
    linked_accounts: tuple[AccountId, ...]
    next: NextStep | None = None


ACTIONS = InputTopic(
    "governance.actions", (PublishRulebook, ListProduct, RegisterPrincipal, RevokePrincipal, ProfileAssessor)
)
