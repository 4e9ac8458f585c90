"""Law 4 of product.md section 13: no vote outside its window, twice, above its cap, or from an excluded assessor.

The electorate, the weights and the count are worked out again here from the facts in the case's own log.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas.adjudication import (
    AssessorExcluded,
    AssessorRecused,
    BallotClosed,
    BallotOpened,
    CaseWithdrawn,
    VoteCounted,
)
from schemas.instants import LAST
from schemas.rulebook import Ballot, Threshold
from services.kernel.records import Refused
from tests.simulation.entries import Entry
from tests.simulation.laws.cases import CaseBook, Cases
from tests.simulation.laws.facts import Facts, Told
from tests.simulation.laws.law import Handlers, broken, demand


@dataclass(slots=True)
class Round:
    """A round as its events tell it; `left_from` is which withdrawals were known when it opened."""

    rules: Ballot
    opened: BallotOpened
    opened_at: int
    electorate: dict[str, int]
    barred: set[str]
    left_from: int
    excluded: set[str] = field(default_factory=set)
    votes: dict[str, VoteCounted] = field(default_factory=dict)
    last_vote_at: int = -1

    def sum_of(self, choice: str) -> int:
        """Sum up the votes for a choice."""
        return sum(vote.weight_minor for vote in self.votes.values() if vote.choice == choice)

    def left(self, assessor: str, told: Told) -> int:
        """Return what is left of the stake that an assessor had when the round opened."""
        later = [fact.stake_minor for fact in told.leaving[self.left_from :] if fact.assessor == assessor]
        return min([self.electorate[assessor], *later])


class Votes:
    """Every round of every case; `closed` has those with votes whose case is not settled, by case."""

    def __init__(self, facts: Facts, cases: Cases, skew: int) -> None:
        self.skew = skew
        self.facts = facts
        self.cases = cases
        self.closed: dict[str, list[Round]] = {}
        self._open: dict[str, Round] = {}
        self._recused: dict[str, set[str]] = {}
        self.handlers: Handlers = {
            BallotOpened: self._opened,
            AssessorExcluded: self._excluded,
            AssessorRecused: self._stepped_back,
            VoteCounted: self._counted,
            BallotClosed: self._closed,
            CaseWithdrawn: self._withdrawn,
            Refused: self._refused,
        }

    def _withdrawn(self, entry: Entry, event: CaseWithdrawn) -> None:
        """Keep the votes of a round that ends because its case does."""
        current = self._open.pop(entry.key, None)
        if current is not None and current.votes:
            self.closed.setdefault(entry.key.removeprefix("case/"), []).append(current)

    def _opened(self, entry: Entry, event: BallotOpened) -> None:
        book, told = self.cases.book(entry), self.facts.told(entry)
        rules, claimant = book.procedure[event.stage], book.opened.claimant
        assert isinstance(rules, Ballot)
        stakes = {assessor: stake for assessor, stake in told.stakes.items() if stake}
        barred = {*_barred(book, rules, told, entry.since), *self._recused.get(entry.key, ())} & stakes.keys()
        if claimant is not None:
            barred.add(claimant)
        electorate = {assessor: stake for assessor, stake in stakes.items() if assessor not in barred}
        eligible, cap_bps = sum(electorate.values()), rules.weight.cap_bps
        demand(entry, "the eligible stake", event.eligible_stake_minor, eligible)
        demand(entry, "the eligible heads", event.eligible_heads, len(electorate))
        demand(entry, "the cap", event.cap_minor, None if cap_bps is None else eligible * cap_bps // 10_000)
        if rules.early_close is not None:
            early_at = min(entry.since + rules.early_close.after, event.closes_at, LAST)
            demand(entry, "the early end", event.closes_early_at, early_at)
        self._open[entry.key] = Round(rules, event, entry.at, electorate, barred, len(told.leaving))

    def _excluded(self, entry: Entry, event: AssessorExcluded) -> None:
        self._open[entry.key].excluded.add(event.assessor)

    def _stepped_back(self, entry: Entry, event: AssessorRecused) -> None:
        current = self._standing(entry, event)
        if event.assessor in current.votes:
            broken(entry, "the assessor voted")
        del current.electorate[event.assessor]
        demand(entry, "the eligible stake", event.eligible_stake_minor, sum(current.electorate.values()))
        demand(entry, "the eligible heads", event.eligible_heads, len(current.electorate))
        self._recused.setdefault(entry.key, set()).add(event.assessor)

    def _standing(self, entry: Entry, event: VoteCounted | AssessorRecused) -> Round:
        """Return the open round, in which the sender may do something now."""
        current = self._open.get(entry.key)
        if current is None:
            broken(entry, "no round is open")
        if event.assessor not in current.electorate:
            broken(entry, f"{event.assessor} may not vote; those who may are {sorted(current.electorate)}")
        if entry.at <= current.opened_at - self.skew:
            broken(entry, f"the round opened at {current.opened_at}")
        demand(entry, "who it is", event.assessor, entry.headers["ce_sender"])
        halt = self.cases.window(entry).halt
        if halt is not None and halt.effective_at <= entry.at < halt.until:
            broken(entry, f"the case is halted: {halt!r}")
        product, told = self.cases.book(entry).opened.product, self.facts.told(entry)
        if told.halted(product, entry.at):
            broken(entry, f"product {product} is halted: {told.halts}")
        return current

    def _counted(self, entry: Entry, event: VoteCounted) -> None:
        current, told = self._standing(entry, event), self.facts.told(entry)
        before = current.votes.get(event.assessor)
        demand(entry, "replaces", event.replaces, before is not None)
        if before is not None and current.rules.revote == "refused":
            broken(entry, "an assessor votes once")
        left = current.left(event.assessor, told)
        stake = told.stakes[event.assessor] if current.rules.weight.at == "vote" else left
        if not left or not stake:
            broken(entry, "what the assessor had at stake is withdrawn")
        cap = current.opened.cap_minor
        demand(entry, "the stake", event.stake_minor, stake)
        demand(entry, "the weight", event.weight_minor, stake if cap is None else min(stake, cap))
        current.votes[event.assessor] = event
        current.last_vote_at = max(current.last_vote_at, entry.at)
        demand(entry, "the sum that accepts", event.accept_minor, current.sum_of("accept"))
        demand(entry, "the sum that denies", event.deny_minor, current.sum_of("deny"))

    def _refused(self, entry: Entry, event: Refused) -> None:
        """A window is open until its closing is in the log: whoever is stamped before that has not come too late."""
        if event.rule in ("vote.no-open-round", "recusal.no-open-round") and entry.key in self._open:
            broken(entry, "the round is open")

    def _closed(self, entry: Entry, event: BallotClosed) -> None:
        current, window = self._open.pop(entry.key), self.cases.window(entry)
        heads = len(current.votes)
        demand(entry, "those excluded", current.excluded, current.barred)
        demand(
            entry,
            "the sums",
            (event.accept_minor, event.deny_minor),
            (current.sum_of("accept"), current.sum_of("deny")),
        )
        demand(entry, "the heads", event.heads, heads)
        all_voted = window.early_at is not None and heads >= len(current.electorate)
        ends_at = window.early_at if all_voted and window.early_at is not None else window.closes_at
        if entry.deadline is not None:
            demand(entry, "the end", entry.deadline[1], ends_at)
            if current.last_vote_at >= entry.at:
                broken(entry, f"a vote of {current.last_vote_at} counts")
        elif not all_voted or entry.at < ends_at:
            broken(entry, f"it closes before {ends_at}, with {heads} of {len(current.electorate)} votes")
        demand(entry, "the count", (event.rule, event.outcome), _count(current))
        if current.votes:
            self.closed.setdefault(entry.key.removeprefix("case/"), []).append(current)


def _barred(book: CaseBook, rules: Ballot, told: Told, since: int) -> Iterator[str]:
    """List who is party to a case, as far as its rulebook excludes them."""
    claimant, product, pool = book.opened.claimant, book.opened.product, book.opened.pool
    for account, profile in told.profiles.items():
        shares = {share.pool: share.share_bps for share in profile.shares}
        ways = {
            "claimant": claimant is not None and (account == claimant or claimant in profile.linked_accounts),
            "holders": any(held.product == product and held.until > since for held in profile.holdings),
            "providers": shares.get(pool or "", 0) > rules.provider_share_bps,
            "interested": product in profile.interests,
        }
        if any(holds and way in rules.excluded for way, holds in ways.items()):
            yield account
    if claimant in told.profiles and "claimant" in rules.excluded:
        yield from told.profiles[claimant].linked_accounts


def _count(current: Round) -> tuple[str, str]:
    rules, eligible = current.rules, sum(current.electorate.values())
    accept, deny, heads = current.sum_of("accept"), current.sum_of("deny"), len(current.votes)
    by_heads = rules.quorum.of == "eligible-heads"
    turnout = (heads, len(current.electorate)) if by_heads else (accept + deny, eligible)
    if not heads:
        return "empty", rules.empty
    if not _met(rules.quorum, *turnout):
        return "quorum", rules.unresolved
    if accept == deny:
        return "tie", rules.tie
    agreed = _met(rules.agreement, accept, accept + deny if rules.agreement.of == "cast" else eligible)
    return "agreement", "accept" if agreed else "deny"


def _met(threshold: Threshold, part: int, whole: int) -> bool:
    distance = part * 10_000 - whole * threshold.share_bps
    return distance > 0 or (distance == 0 and threshold.comparison == "at-least")
