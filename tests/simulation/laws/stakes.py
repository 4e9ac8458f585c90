"""Law 3 of product.md section 13, for stakes: what is put in and won is staked, lost or paid out, and held.

What votes win and lose is worked out again here from the votes of each round and the final ruling.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

from schemas.adjudication import RoundSettled, VoteCounted, VoteLine, VotesSettled
from schemas.assessors import (
    LocksAnswered,
    StakeAdded,
    StakePaidOut,
    StakeSettled,
    StakeWithdrawalAnnounced,
    StakeWithdrawalAnswered,
    StakeWithdrawalRequested,
    StakeWithdrawn,
)
from tests.simulation.entries import Entry
from tests.simulation.laws.cases import Cases
from tests.simulation.laws.debts import Debts, of_stake
from tests.simulation.laws.facts import Facts
from tests.simulation.laws.law import Handlers, LawBroken, broken, demand
from tests.simulation.laws.votes import Round, Votes


@dataclass(slots=True)
class _Leaving:
    requested: StakeWithdrawalRequested
    announced: StakeWithdrawalAnnounced | None = None
    answers: dict[int, LocksAnswered] = field(default_factory=dict)
    heard: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Account:
    added_minor: int = 0
    won_minor: int = 0
    lost_minor: int = 0
    left_minor: int = 0
    withdrawals: int = 0
    leaving: _Leaving | None = None
    transactions: set[str] = field(default_factory=set)

    @property
    def stake_minor(self) -> int:
        return self.added_minor + self.won_minor - self.lost_minor - self.left_minor


class Stakes:
    """Every account with stake, and every vote that answers with it."""

    def __init__(self, facts: Facts, cases: Cases, votes: Votes, debts: Debts, partitions: int) -> None:
        self.facts = facts
        self.cases = cases
        self.votes = votes
        self.debts = debts
        self.partitions = partitions
        self.due: dict[tuple[str, str, int], VoteLine] = {}
        """Lines that an account has not heard of, by account, case and round."""
        self._accounts: dict[str, _Account] = defaultdict(_Account)
        self._unsettled: dict[tuple[int, str], dict[str, int]] = defaultdict(dict)
        self._lines: dict[str, list[VoteLine]] = {}
        self.handlers: Handlers = {
            VoteCounted: self._counted,
            RoundSettled: self._round,
            VotesSettled: self._settled,
            LocksAnswered: self._locks,
            StakeAdded: self._added,
            StakeWithdrawalRequested: self._requested,
            StakeWithdrawalAnnounced: self._announced,
            StakeWithdrawalAnswered: self._answered,
            StakeSettled: self._applied,
            StakeWithdrawn: self._withdrawn,
            StakePaidOut: self._paid_out,
        }

    def weighing(self, assessor: str) -> int:
        """Return what weighs in new votes: all but what was announced to leave."""
        account = self._accounts[assessor]
        announced = account.leaving.announced if account.leaving else None
        return max(0, account.stake_minor - (announced.amount_minor if announced else 0))

    # --- votes, in the log of cases

    def _counted(self, entry: Entry, event: VoteCounted) -> None:
        self._unsettled[entry.partition, event.assessor][entry.key.removeprefix("case/")] = event.stake_minor

    def _round(self, entry: Entry, event: RoundSettled) -> None:
        """Work out again what each vote of the round loses and wins."""
        book, rounds = self.cases.books[event.case], self.votes.closed.get(event.case, [])
        if not book.over or not rounds or event.case in self._lines:
            broken(entry, "there is no round to settle now")
        current, later = rounds[0], rounds[1:]
        demand(entry, "the round", event.round, current.opened.round)
        demand(entry, "the outcome", event.outcome, "draw" if book.withdrawn else book.outcome)
        demand(entry, "when", event.settled_at, entry.at)
        lines = _lines(current, later, event.outcome)
        lost, won = sum(line.forfeit_minor for line in lines), sum(line.reward_minor for line in lines)
        winners = sum(line.weight_minor for line in lines if line.choice == event.outcome)
        demand(entry, "what is lost", event.forfeited_minor, lost)
        demand(entry, "the weight that wins", event.winning_minor, winners)
        demand(entry, "what nobody wins", event.treasury_minor, lost - won)
        self._lines[event.case] = lines

    def _settled(self, entry: Entry, event: VotesSettled) -> None:
        lines = self._lines.get(event.case, [])
        demand(entry, "the lines", list(event.lines), lines[:200])
        demand(entry, "more", event.more, len(lines) > len(event.lines))
        for line in event.lines:
            if not line.holds:
                del self._unsettled[entry.partition, line.assessor][event.case]
            if line.forfeit_minor or line.reward_minor:
                self.due[line.assessor, event.case, event.round] = line
        self._lines[event.case] = lines[len(event.lines) :]
        if not event.more:
            del self._lines[event.case]
            self.votes.closed[event.case].pop(0)

    def _locks(self, entry: Entry, event: LocksAnswered) -> None:
        """A partition answers with every case that the account voted in and that has not settled its votes."""
        demand(entry, "the partition", (event.partition, event.partitions), (entry.partition, self.partitions))
        demand(entry, "the cases", event.cases, self._unsettled[entry.partition, event.assessor])
        leaving = self._accounts[event.assessor].leaving
        if leaving is None or leaving.announced is None or event.partition in leaving.answers:
            broken(entry, f"nothing is asked: {leaving!r}")
        demand(entry, "the withdrawal", event.withdrawal, leaving.requested.withdrawal)
        if self.facts.told(entry).leaving.count(leaving.announced) != 1:
            broken(entry, "votes of this partition still weigh what leaves")
        leaving.answers[event.partition] = event

    # --- accounts

    def _account(self, entry: Entry) -> _Account:
        return self._accounts[entry.key.removeprefix("assessor/")]

    def _added(self, entry: Entry, event: StakeAdded) -> None:
        account, terms = self._account(entry), self.facts.told(entry).terms
        if event.transaction in account.transactions:
            broken(entry, "the transaction counted before")
        account.transactions.add(event.transaction)
        account.added_minor += event.amount_minor
        demand(entry, "the stake", event.stake_minor, account.stake_minor)
        weighing = self.weighing(event.assessor)
        if terms is None or weighing < terms.stake_min_minor:
            broken(entry, f"it weighs {weighing}, by {terms!r}")

    def _requested(self, entry: Entry, event: StakeWithdrawalRequested) -> None:
        account, terms = self._account(entry), self.facts.told(entry).terms
        if account.leaving is not None or terms is None or event.amount_minor > account.stake_minor:
            broken(entry, f"the account is {account!r}")
        if 0 < account.stake_minor - event.amount_minor < terms.stake_min_minor:
            broken(entry, f"of {account.stake_minor} less than {terms.stake_min_minor} stays")
        account.withdrawals += 1
        demand(entry, "the withdrawal", event.withdrawal, account.withdrawals)
        demand(entry, "the end of the notice", event.available_at, entry.since + terms.notice)
        account.leaving = _Leaving(event)

    def _announced(self, entry: Entry, event: StakeWithdrawalAnnounced) -> None:
        account = self._account(entry)
        leaving = account.leaving
        if leaving is None or leaving.announced is not None or entry.at < leaving.requested.available_at:
            broken(entry, f"what leaves is {leaving!r}")
        amount = min(leaving.requested.amount_minor, account.stake_minor)
        demand(entry, "what leaves", event.amount_minor, amount)
        demand(entry, "what stays", event.stake_minor, account.stake_minor - amount)
        leaving.announced = event

    def _answered(self, entry: Entry, event: StakeWithdrawalAnswered) -> None:
        leaving = self._account(entry).leaving
        if leaving is None or event.partition not in leaving.answers or event.partition in leaving.heard:
            broken(entry, f"what leaves is {leaving!r}")
        demand(entry, "the cases", event.cases, tuple(sorted(leaving.answers[event.partition].cases)))
        leaving.heard.add(event.partition)

    def _applied(self, entry: Entry, event: StakeSettled) -> None:
        account = self._account(entry)
        line = self.due.pop((event.assessor, event.case, event.round), None)
        lost = event.forfeited_minor + event.shortfall_minor
        won_and_lost = (line.forfeit_minor, line.reward_minor) if line is not None else (0, 0)
        demand(entry, "what is lost and won", (lost, event.reward_minor), won_and_lost)
        demand(entry, "what can be taken", event.forfeited_minor, min(lost, account.stake_minor))
        account.lost_minor += event.forfeited_minor
        account.won_minor += event.reward_minor
        demand(entry, "the stake", event.stake_minor, account.stake_minor)

    def _withdrawn(self, entry: Entry, event: StakeWithdrawn) -> None:
        """Stake leaves when every partition answered, and every case that they named has settled its votes."""
        account = self._account(entry)
        leaving = account.leaving
        if leaving is None or leaving.announced is None or len(leaving.heard) < self.partitions:
            broken(entry, f"what leaves is {leaving!r}")
        for partition, answer in leaving.answers.items():
            voted = self._unsettled[partition, event.assessor].keys() & answer.cases.keys()
            unheard = {case for name, case, _ in self.due if name == event.assessor} & answer.cases.keys()
            if voted or unheard:
                broken(entry, f"votes in {voted or unheard} are not settled")
        demand(entry, "what leaves", event.amount_minor, min(leaving.announced.amount_minor, account.stake_minor))
        account.left_minor += event.amount_minor
        demand(entry, "the stake", event.stake_minor, account.stake_minor)
        demand(entry, "a payout", event.payout is not None, event.amount_minor > 0)
        if event.payout is not None:
            self.debts[event.payout] = of_stake(event)
        account.leaving = None

    def _paid_out(self, entry: Entry, event: StakePaidOut) -> None:
        demand(entry, "what is paid out", event.amount_minor, self.debts[event.payout].amount_minor)

    def at_the_end(self) -> None:
        """Nothing that was announced stays, every line is taken, every vote is settled."""
        leaving = [name for name, account in self._accounts.items() if account.leaving and account.leaving.announced]
        votes = {account: cases for (_, account), cases in self._unsettled.items() if cases}
        if leaving or self.due or votes or any(self.votes.closed.values()):
            raise LawBroken(f"stake of {leaving} stays, lines {self.due} are not taken, votes {votes} not settled")


def _lines(current: Round, later: list[Round], outcome: str) -> list[VoteLine]:
    """Work out what each vote loses, and how those for the ruling share it, exact to the last unit."""
    incentives, votes = current.rules.incentives, current.votes
    lost = {
        account: vote.stake_minor * incentives.wrong_bps // 10_000
        if incentives is not None
        and outcome not in ("draw", vote.choice)
        and not (incentives.spare_reasoned and vote.rationale.strip())
        else 0
        for account, vote in votes.items()
    }
    all_lost = sum(lost.values())
    weights = {account: vote.weight_minor for account, vote in votes.items() if vote.choice == outcome}
    winning, won = sum(weights.values()), dict.fromkeys(votes, 0)
    if winning:
        exact = {account: Fraction(weight * all_lost, winning) for account, weight in weights.items()}
        won |= {account: int(share) for account, share in exact.items()}
        rest = all_lost - sum(won.values())
        for account in sorted(exact, key=lambda name: (int(exact[name]) - exact[name], name))[:rest]:
            won[account] += 1
    return [
        VoteLine(
            assessor=account,
            choice=vote.choice,
            stake_minor=vote.stake_minor,
            weight_minor=vote.weight_minor,
            forfeit_minor=lost[account],
            reward_minor=won[account],
            holds=any(account in other.votes for other in later),
        )
        for account, vote in sorted(votes.items())
    ]
