"""What adjudication knows: of its siblings by broadcast, and what its own partition holds."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.assessors import AssessorProfiled, StakeWithdrawalAnnounced
from schemas.envelope import Event, Message
from schemas.governance import ProductHalted, ProductOpened, RulebookPublished
from schemas.halts import Halt
from schemas.ids import Subject, case_key
from schemas.rulebook import Rulebook, Stage
from services.adjudication.index import OWN, Index, with_event
from services.adjudication.profiles import Profiles, with_profile, with_withdrawal
from services.kernel.decider import Principal
from services.kernel.persistent import PersistentMap
from services.kernel.principals import PRINCIPAL_FACTS, Principals, fold_principals


@dataclass(frozen=True, slots=True)
class Heard:
    """The fold over broadcasts: `version` counts them, `halts` has the last halt of each product."""

    version: int = 0
    rulebooks: PersistentMap[str, Rulebook] = field(default_factory=PersistentMap)
    profiles: Profiles = field(default_factory=Profiles)
    halts: PersistentMap[str, Halt] = field(default_factory=PersistentMap)
    principals: Principals = field(default_factory=PersistentMap)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was heard, and what this partition decided; apart, because every vote changes the one and not the other."""

    heard: Heard = field(default_factory=Heard)
    index: Index = field(default_factory=Index)

    @property
    def version(self) -> int:
        """The number of broadcasts so far; a round names the version its electorate is taken from."""
        return self.heard.version

    @property
    def profiles(self) -> Profiles:
        """All assessors."""
        return self.heard.profiles

    def halt_of(self, product: str) -> Halt | None:
        """Return the last halt of a product."""
        return self.heard.halts.get(product)

    def procedure(self, rulebook: str, subject: Subject) -> tuple[Stage, ...]:
        """Return the stages a case goes through; its rulebook was broadcast before the case, or a law is broken."""
        book = self.heard.rulebooks.get(rulebook)
        assert book is not None, f"rulebook {rulebook} is not known, but a case of it is"
        return book.incident.procedure if subject == "incident" else book.claim.procedure

    def stake(self, account: str) -> int:
        """Return the stake (base units) an account has today."""
        return self.profiles.stake_at(account, self.version)


class AdjudicationFacts:
    """Folds broadcasts, and what the own partition decided, into `Facts`."""

    state = Facts
    types: tuple[type[Message], ...] = (
        RulebookPublished,
        AssessorProfiled,
        StakeWithdrawalAnnounced,
        ProductHalted,
        ProductOpened,
        *PRINCIPAL_FACTS,
    )
    own: tuple[type[Event], ...] = OWN

    def initial(self) -> Facts:
        """Return the facts before the first broadcast."""
        return Facts()

    def evolve(self, facts: Facts, fact: Message) -> Facts:
        """Fold one broadcast."""
        heard, version = facts.heard, facts.heard.version + 1
        rulebooks, profiles, halts, principals = heard.rulebooks, heard.profiles, heard.halts, heard.principals
        match fact:
            case AssessorProfiled():
                profiles = with_profile(profiles, version, facts.index.cases.rounds.oldest(version), fact)
            case StakeWithdrawalAnnounced():
                profiles = with_withdrawal(profiles, version, facts.index.cases.rounds.oldest(version), fact)
            case RulebookPublished(rulebook=rulebook):
                rulebooks = rulebooks.set(rulebook.id, rulebook)
            case ProductHalted() | ProductOpened():
                halts = halts.set(fact.product, Halt(fact.effective_at, fact.until))
            case _:
                principals = fold_principals(principals, fact)
        # Most facts are profiles, and replace() takes twice as long.
        return Facts(Heard(version, rulebooks, profiles, halts, principals), facts.index)

    def evolve_own(self, facts: Facts, key: str, event: Event) -> Facts:
        """Fold one event of the own log."""
        return Facts(facts.heard, with_event(facts.index, key, event))

    def principal(self, facts: Facts, principal: str) -> Principal | None:
        """Look up a registered principal."""
        return facts.heard.principals.get(principal)


def audience(facts: Facts, message: Message) -> Iterable[str]:
    """Name the aggregates that a broadcast concerns: a halt and its early end, the open cases of the product."""
    if isinstance(message, ProductHalted | ProductOpened):
        return [case_key(case) for case in facts.index.cases.of(message.product)]
    return ()
