"""What every service knows of principals: a pure fold that each service's facts contain."""

from schemas.envelope import Message
from schemas.principals import PrincipalRegistered, PrincipalRevoked

from .decider import Principal
from .persistent import PersistentMap

Principals = PersistentMap[str, Principal]
PRINCIPAL_FACTS: tuple[type[Message], ...] = (PrincipalRegistered, PrincipalRevoked)
"""The broadcasts this fold reads."""


def fold_principals(principals: Principals, fact: Message) -> Principals:
    """Fold one broadcast; one that is not about principals changes nothing."""
    match fact:
        case PrincipalRegistered():
            return principals.set(
                fact.principal,
                Principal(fact.principal, fact.public_key, frozenset(fact.streams), frozenset(fact.accounts)),
            )
        case PrincipalRevoked():
            return principals.remove(fact.principal)
        case _:
            return principals
