"""What adjudication knows of its siblings: rulebooks, assessors' profiles, principals."""

from bisect import bisect_right
from dataclasses import dataclass, field, replace

from schemas.assessors import AssessorProfiled
from schemas.envelope import Message
from schemas.governance import RulebookPublished
from schemas.ids import Subject
from schemas.rulebook import Rulebook, Stage
from services.kernel.decider import Principal
from services.kernel.persistent import PersistentMap
from services.kernel.principals import PRINCIPAL_FACTS, Principals, fold_principals


@dataclass(frozen=True, slots=True)
class Profile:
    """An assessor's stake and linked accounts, from facts version `version` on."""

    version: int
    stake_minor: int
    linked_accounts: tuple[str, ...]


Accounts = PersistentMap[str, None]
"""A set of accounts."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The fold over broadcasts.

    `version` counts the facts noted so far; a round names the version its electorate is taken from. `profiles` keeps
    every profile of an account, oldest first; `linking` says which assessors name an account as linked today. The
    eligible sums are over all assessors with stake today.
    """

    version: int = 0
    rulebooks: PersistentMap[str, Rulebook] = field(default_factory=PersistentMap)
    profiles: PersistentMap[str, tuple[Profile, ...]] = field(default_factory=PersistentMap)
    linking: PersistentMap[str, Accounts] = field(default_factory=PersistentMap)
    eligible_stake_minor: int = 0
    eligible_heads: int = 0
    principals: Principals = field(default_factory=PersistentMap)

    def procedure(self, rulebook: str, subject: Subject) -> tuple[Stage, ...]:
        """Return the stages a case goes through; its rulebook was broadcast before the case, or a law is broken."""
        book = self.rulebooks.get(rulebook)
        assert book is not None, f"rulebook {rulebook} is not known, but a case of it is"
        return book.incident.procedure if subject == "incident" else book.claim.procedure

    def stake_at(self, account: str, version: int) -> int:
        """Return the stake (base units) an account had at a facts version: O(log changes of the account)."""
        history = self.profiles.get(account, ())
        known = bisect_right(history, version, key=_version)
        return history[known - 1].stake_minor if known else 0

    def stake(self, account: str) -> int:
        """Return the stake (base units) an account has today."""
        return self.stake_at(account, self.version)

    def linked_from(self, account: str) -> tuple[str, ...]:
        """List the accounts that an account's own profile names as linked today."""
        history = self.profiles.get(account, ())
        return history[-1].linked_accounts if history else ()

    def linking_to(self, account: str) -> list[str]:
        """List the assessors that name an account as linked today, in order."""
        return self.linking.get(account, Accounts()).sorted_keys()


class AdjudicationFacts:
    """Folds broadcasts into `Facts`."""

    state = Facts
    types: tuple[type[Message], ...] = (RulebookPublished, AssessorProfiled, *PRINCIPAL_FACTS)

    def initial(self) -> Facts:
        """Return the facts before the first broadcast."""
        return Facts()

    def evolve(self, facts: Facts, fact: Message) -> Facts:
        """Fold one broadcast."""
        version = facts.version + 1
        match fact:
            case AssessorProfiled():
                return _profiled(facts, version, fact)
            case RulebookPublished(rulebook=rulebook):
                return replace(facts, version=version, rulebooks=facts.rulebooks.set(rulebook.id, rulebook))
            case _:
                return replace(facts, version=version, principals=fold_principals(facts.principals, fact))

    def principal(self, facts: Facts, principal: str) -> Principal | None:
        """Look up a registered principal."""
        return facts.principals.get(principal)


def _version(profile: Profile) -> int:
    return profile.version


def _profiled(facts: Facts, version: int, fact: AssessorProfiled) -> Facts:
    history = facts.profiles.get(fact.assessor, ())
    stake_before = history[-1].stake_minor if history else 0
    profile = Profile(version, fact.stake_minor, fact.linked_accounts)
    # Most facts are profiles, and replace() takes twice as long.
    return Facts(
        version=version,
        rulebooks=facts.rulebooks,
        profiles=facts.profiles.set(fact.assessor, (*history, profile)),
        linking=_relinked(facts, fact),
        eligible_stake_minor=facts.eligible_stake_minor + fact.stake_minor - stake_before,
        eligible_heads=facts.eligible_heads + (fact.stake_minor > 0) - (stake_before > 0),
        principals=facts.principals,
    )


def _relinked(facts: Facts, fact: AssessorProfiled) -> PersistentMap[str, Accounts]:
    linking = facts.linking
    for account in facts.linked_from(fact.assessor):
        linking = linking.set(account, linking[account].remove(fact.assessor))
    for account in fact.linked_accounts:
        linking = linking.set(account, linking.get(account, Accounts()).set(fact.assessor, None))
    return linking
