import pytest

from schemas.pools import Posting
from services.pools.books import Books, check, entry, post, posted


def test_entry__one_posting_for_each_account_in_their_order() -> None:
    made = entry(debit=(("cash", 5),), credit=(("reserve", 1), ("capital:junior", 3), ("reserve", 1), ("payable", 0)))
    assert made == (
        Posting(account="cash", amount_minor="5"),
        Posting(account="capital:junior", amount_minor="-3"),
        Posting(account="reserve", amount_minor="-2"),
    )


def test_entry__that_does_not_balance_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        entry(debit=(("cash", 5),), credit=(("reserve", 4),))


def test_post__debits_and_credits() -> None:
    made = entry(debit=(("cash", 9), ("unfunded", 2)), credit=(("payable", 4), ("reserve", 5), ("deferred", 2)))
    assert post(Books(), made) == Books(cash=9, payable=4, reserve=5, unfunded=2, deferred=2)
    assert posted(made, "reserve") == -5
    assert posted(made, "capital:senior") == 0


@pytest.mark.parametrize(
    "books", [Books(cash=1), Books(deferred=1), Books(cash=0, junior=1, senior=-1), Books(unfunded=-1, deferred=-1)]
)
def test_check__books_that_break_a_law(books: Books) -> None:
    with pytest.raises(AssertionError):
        check(books)
