"""The books of a pool: balances, and postings that sum to zero (schemas.pools lists the accounts)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from schemas.pools import Account, Posting, Postings

ACCOUNTS: tuple[Account, ...] = get_args(Account)


@dataclass(frozen=True, slots=True)
class Books:
    """Balances, each on the side its account is kept on: none of them can be negative."""

    cash: int = 0
    junior: int = 0
    senior: int = 0
    reserve: int = 0
    payable: int = 0
    unfunded: int = 0
    deferred: int = 0

    @property
    def capital(self) -> int:
        """What providers own."""
        return self.junior + self.senior

    @property
    def free(self) -> int:
        """What can bear losses: the reserve and all capital; what is allocated has left them."""
        return self.reserve + self.capital


def entry(*, debit: Iterable[tuple[Account, int]] = (), credit: Iterable[tuple[Account, int]] = ()) -> Postings:
    """Make the postings of an event: one for each account, in the order of accounts, none of nothing."""
    sums = dict.fromkeys(ACCOUNTS, 0)
    for account, amount_minor in debit:
        sums[account] += amount_minor
    for account, amount_minor in credit:
        sums[account] -= amount_minor
    assert not sum(sums.values()), f"an entry that does not balance: {sums}"
    return tuple(
        Posting(account=account, amount_minor=str(amount_minor))
        for account, amount_minor in sums.items()
        if amount_minor
    )


def posted(postings: Postings, account: Account) -> int:
    """Return what an event debits to an account; what it credits is negative."""
    return sum(int(posting.amount_minor) for posting in postings if posting.account == account)


def post(books: Books, postings: Postings) -> Books:
    """Enter an event's postings."""
    after = Books(
        cash=books.cash + posted(postings, "cash"),
        junior=books.junior - posted(postings, "capital:junior"),
        senior=books.senior - posted(postings, "capital:senior"),
        reserve=books.reserve - posted(postings, "reserve"),
        payable=books.payable - posted(postings, "payable"),
        unfunded=books.unfunded + posted(postings, "unfunded"),
        deferred=books.deferred - posted(postings, "deferred"),
    )
    check(after)
    return after


def check(books: Books) -> None:
    """Hold balances against the laws: what there is belongs to somebody, and what lacks is owed (section 13.3)."""
    assert books.cash == books.free + books.payable, books
    assert books.unfunded == books.deferred, books
    assert min(books.cash, books.junior, books.senior, books.reserve, books.payable, books.deferred) >= 0, books
