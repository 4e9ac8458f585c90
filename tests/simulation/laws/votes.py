"""Law 4 of product.md section 13: no vote outside its window, twice, above its cap, or from an excluded assessor.

The electorate, the weights and the count are worked out again here from the facts in the case's own log.
"""

from dataclasses import dataclass, field

from schemas.adjudication import AssessorExcluded, BallotClosed, BallotOpened, VoteCounted
from schemas.instants import LAST
from schemas.rulebook import Ballot, Threshold
from services.kernel.records import Refused
from tests.simulation.entries import Entry
from tests.simulation.laws.cases import Cases
from tests.simulation.laws.facts import Facts
from tests.simulation.laws.law import Handlers, broken, demand


@dataclass(slots=True)
class _Round:
    rules: Ballot
    opened: BallotOpened
    opened_at: int
    electorate: dict[str, int]
    barred: set[str]
    excluded: set[str] = field(default_factory=set)
    votes: dict[str, VoteCounted] = field(default_factory=dict)
    last_vote_at: int = -1

    def sum_of(self, choice: str) -> int:
        return sum(vote.weight_minor for vote in self.votes.values() if vote.choice == choice)


class Votes:
    """Every round of every case."""

    def __init__(self, facts: Facts, cases: Cases, skew: int) -> None:
        self.skew = skew
        self.facts = facts
        self.cases = cases
        self._open: dict[str, _Round] = {}
        self.handlers: Handlers = {
            BallotOpened: self._opened,
            AssessorExcluded: self._excluded,
            VoteCounted: self._counted,
            BallotClosed: self._closed,
            Refused: self._refused,
        }

    def _opened(self, entry: Entry, event: BallotOpened) -> None:
        book, told = self.cases.book(entry), self.facts.told(entry)
        rules, claimant = book.procedure[event.stage], book.opened.claimant
        assert isinstance(rules, Ballot)
        stakes = {assessor: stake for assessor, stake in told.stakes.items() if stake}
        barred = set()
        if claimant is not None:
            linked = {*told.linked.get(claimant, ()), *(who for who, links in told.linked.items() if claimant in links)}
            barred = {claimant} | (linked & stakes.keys())
        electorate = {assessor: stake for assessor, stake in stakes.items() if assessor not in barred}
        eligible, cap_bps = sum(electorate.values()), rules.weight.cap_bps
        demand(entry, "the eligible stake", event.eligible_stake_minor, eligible)
        demand(entry, "the eligible heads", event.eligible_heads, len(electorate))
        demand(entry, "the cap", event.cap_minor, None if cap_bps is None else eligible * cap_bps // 10_000)
        if rules.early_close is not None:
            early_at = min(entry.since + rules.early_close.after, event.closes_at, LAST)
            demand(entry, "the early end", event.closes_early_at, early_at)
        self._open[entry.key] = _Round(rules, event, entry.at, electorate, barred)

    def _excluded(self, entry: Entry, event: AssessorExcluded) -> None:
        self._open[entry.key].excluded.add(event.assessor)

    def _counted(self, entry: Entry, event: VoteCounted) -> None:
        current = self._open.get(entry.key)
        if current is None:
            broken(entry, "no round is open")
        if event.assessor not in current.electorate:
            broken(entry, f"{event.assessor} may not vote; those who may are {sorted(current.electorate)}")
        if entry.at <= current.opened_at - self.skew:
            broken(entry, f"the round opened at {current.opened_at}")
        demand(entry, "the voter", event.assessor, entry.headers["ce_sender"])
        before = current.votes.get(event.assessor)
        demand(entry, "replaces", event.replaces, before is not None)
        if before is not None and current.rules.revote == "refused":
            broken(entry, "an assessor votes once")
        now = self.facts.told(entry).stakes[event.assessor]
        stake = now if current.rules.weight.at == "vote" else current.electorate[event.assessor]
        cap = current.opened.cap_minor
        demand(entry, "the stake", event.stake_minor, stake)
        demand(entry, "the weight", event.weight_minor, stake if cap is None else min(stake, cap))
        current.votes[event.assessor] = event
        current.last_vote_at = max(current.last_vote_at, entry.at)
        demand(entry, "the sum that accepts", event.accept_minor, current.sum_of("accept"))
        demand(entry, "the sum that denies", event.deny_minor, current.sum_of("deny"))

    def _refused(self, entry: Entry, event: Refused) -> None:
        """A window is open until its closing is in the log: whoever is stamped before that has not come too late."""
        if event.rule == "vote.window-ended" and entry.key in self._open:
            broken(entry, "the round was open")

    def _closed(self, entry: Entry, event: BallotClosed) -> None:
        current = self._open.pop(entry.key)
        heads, opened = len(current.votes), current.opened
        demand(entry, "those excluded", current.excluded, current.barred)
        demand(
            entry,
            "the sums",
            (event.accept_minor, event.deny_minor),
            (current.sum_of("accept"), current.sum_of("deny")),
        )
        demand(entry, "the heads", event.heads, heads)
        all_voted = opened.closes_early_at is not None and heads >= len(current.electorate)
        ends_at = opened.closes_early_at if all_voted and opened.closes_early_at is not None else opened.closes_at
        if entry.deadline is not None:
            demand(entry, "the end", entry.deadline[1], ends_at)
            if current.last_vote_at >= entry.at:
                broken(entry, f"a vote of {current.last_vote_at} counts")
        elif not all_voted or entry.at < ends_at:
            broken(entry, f"it closes before {ends_at}, with {heads} of {len(current.electorate)} votes")
        demand(entry, "the count", (event.rule, event.outcome), _count(current))


def _count(current: _Round) -> tuple[str, str]:
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
