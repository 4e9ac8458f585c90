from dataclasses import replace

import pytest

from schemas.instants import DAY
from schemas.pools import CoverSold, Cut, IncidentSettled, SettlementClosed, SettlementLines
from services.pools.pool import owing_claims
from tests.unit.pools.examples import (
    CAROL,
    CUT_OFF,
    START,
    Books,
    claimed,
    confirmed,
    cover,
    decided,
    deposit,
    transferred,
)

DECIDED = START + DAY
END = DECIDED + CUT_OFF


def with_capital(pool: Books, reserve: int, junior: int, senior: int) -> Books:
    """The pool with other balances, whatever made them so."""
    books = replace(pool.state.books, reserve=reserve, junior=junior, senior=senior)
    pool.state = replace(pool.state, books=replace(books, cash=books.free + books.payable))
    return pool


def claims_of(*amounts_minor: int, reserve: int = 0, junior: int = 0, senior: int = 0, undecided: int = 0) -> Books:
    """Approved claims core.1/1, core.2/1, ..., the last ones undecided; another cover could still be."""
    pool = confirmed(*amounts_minor, 1, junior=10_000, senior=10_000)
    pool = with_capital(pool, 0, 0, 0)
    for number, amount_minor in enumerate(amounts_minor, 1):
        claim = f"core.{number}/1"
        pool.when(claimed(claim, amount_minor), at=DECIDED)
        if number <= len(amounts_minor) - undecided:
            pool.when(claimed(claim, amount_minor, "approved"), at=DECIDED).then_types("reserve.changed.v1")
    return with_capital(pool, reserve, junior, senior)


def allocated(pool: Books, incident: str = "P/1") -> dict[str, int]:
    return {name: claim.allocated_minor for name, claim in pool.state.incidents[incident].claims.sorted_items()}


def test_ample__approved_claim_is_paid_in_full_at_once() -> None:
    pool = confirmed(100, 200).when(claimed("core.1/1", 60, "approved"), at=DECIDED + 5, since=DECIDED)
    pool.then_types("reserve.changed.v1", "incident.settled.v1", "settlement.lines.v1")
    event = pool.settled()
    assert (event.cause, event.claims, event.claims_count, event.allocation) == ("ample", ("core.1/1",), 1, 1)
    assert (event.owed_minor, event.distributed_minor, event.deferred_minor, event.cut) == (60, 60, 0, None)
    assert event.settled_at == DECIDED
    assert pool.told() == {"core.1/1": 60}
    assert [step.result_minor for step in event.arithmetic][-1] == "60"
    assert pool.state.books.payable == 60


def test_ample__capital_has_to_bear_the_provision_too() -> None:
    # 100 claimed, and 200 that the other cover may bring.
    pool = with_capital(confirmed(100, 200), 0, 0, 300)
    pool.when(claimed("core.1/1", 100, "approved"), at=DECIDED)
    assert pool.settled().cause == "ample"
    pool = with_capital(confirmed(100, 200), 0, 0, 299)
    pool.when(claimed("core.1/1", 100, "approved"), at=DECIDED).then_types("reserve.changed.v1")


def test_ample__capital_has_to_bear_what_other_incidents_claims_are_reserved_at() -> None:
    for senior, types in ((350, 3), (349, 1)):
        pool = confirmed(100, 200).when(decided("Q/1"), at=DECIDED)
        pool = pool.when(cover(80, "Q", transaction="0x9"), at=START)
        pool.when(decided("Q/1"), at=DECIDED).when(claimed("core.3/1", 50, incident="Q/1"), at=DECIDED)
        with_capital(pool, 0, 0, senior).when(claimed("core.1/1", 100, "approved"), at=DECIDED)
        assert len(pool.events) == types, senior


def test_ample__leaves_enough_for_all_that_an_incident_of_a_paid_claim_can_bring() -> None:
    """Else an equal claim that is approved later would get less."""
    pool = confirmed(100, 100)
    pool.when(cover(300, "Q", transaction="0x9"), at=START).when(decided("Q/1"), at=DECIDED)
    with_capital(pool, 0, 0, 200).when(claimed("core.1/1", 100, "approved"), at=DECIDED)
    assert pool.settled().cause == "ample"
    # The 100 left are committed to the other cover of P.
    pool.when(claimed("core.3/1", 300, "approved", "Q/1"), at=DECIDED)
    assert pool.settled().incident == "Q/1"
    assert (pool.settled().distributed_minor, pool.settled().deferred_minor) == (0, 300)
    pool.when(claimed("core.2/1", 100, "approved"), at=DECIDED)
    assert pool.told() == {"core.2/1": 100}
    assert pool.balances() == (0, 0, 0)


def test_ample__of_another_incident_leaves_what_is_committed() -> None:
    for capital, enough in ((250, True), (249, False)):
        pool = confirmed(100, 100)
        pool.when(cover(50, "Q", transaction="0x9"), at=START).when(decided("Q/1"), at=DECIDED)
        with_capital(pool, 0, 0, capital).when(claimed("core.1/1", 100, "approved"), at=DECIDED)
        pool.when(claimed("core.3/1", 50, "approved", "Q/1"), at=DECIDED)
        assert pool.state.incidents["Q/1"].committed is enough, capital


def test_cut_off__incident_of_a_paid_claim_comes_before_claims_of_others() -> None:
    pool = confirmed(100, 100)
    pool.when(cover(300, "Q", transaction="0x9"), at=START)
    with_capital(pool, 0, 0, 200).when(claimed("core.1/1", 100, "approved"), at=DECIDED)
    pool.when(decided("Q/1"), at=DECIDED).when(claimed("core.3/1", 300, incident="Q/1"), at=DECIDED)
    pool.when(claimed("core.2/1", 100), at=DECIDED).fire()
    assert (pool.settled().incident, pool.told()) == ("P/1", {"core.2/1": 100})


def test_cut_off__enough_pays_everything() -> None:
    pool = claims_of(600, 300, 100, reserve=100, junior=400, senior=600).fire()
    pool.then_types("incident.settled.v1", "settlement.lines.v1", "settlement.closed.v1")
    assert pool.told() == {"core.1/1": 600, "core.2/1": 300, "core.3/1": 100}
    assert pool.settled().model_dump()["waterfall"] == {
        "reserve_minor": 100,
        "junior_minor": 400,
        "senior_minor": 500,
    }
    assert pool.balances() == (0, 0, 100)
    assert pool.events[-1] == SettlementClosed(pool="core", incident="P/1", deferred_minor=0)


def test_cut_off__short_capital_gives_everyone_the_same_part() -> None:
    """anchors.md section 4, the worked case for the haircut."""
    pool = claims_of(600, 300, 100, reserve=100, junior=400, senior=250).fire()
    event = pool.settled()
    assert (event.cause, event.claims, event.claims_count) == ("cut-off", (), 3)
    assert (event.owed_minor, event.distributed_minor, event.deferred_minor, event.cut) == (1_000, 750, 250, None)
    assert pool.told() == {"core.1/1": 450, "core.2/1": 225, "core.3/1": 75}
    assert pool.balances() == (0, 0, 0)
    assert (pool.state.books.unfunded, pool.state.books.deferred) == (250, 250)
    assert [(each.account, each.amount_minor) for each in event.postings] == [
        ("capital:junior", "400"),
        ("capital:senior", "250"),
        ("reserve", "100"),
        ("payable", "-750"),
        ("unfunded", "250"),
        ("deferred", "-250"),
    ]
    assert pool.events[-1] == SettlementClosed(pool="core", incident="P/1", deferred_minor=250)
    assert [name for name, _ in pool.deadlines()] == [f"lapse/{pool.state.exposure.lapses[0]}"]


def test_cut_off__units_that_rounding_leaves_by_remainder_then_id() -> None:
    pool = claims_of(100, 100, 100, senior=200).fire()
    assert pool.told() == {"core.1/1": 67, "core.2/1": 67, "core.3/1": 66}
    assert pool.settled().cut == Cut(remainder_minor=200, claim="core.2/1")
    line = pool.events[1].lines[2]  # type: ignore[attr-defined]
    assert line.model_dump() == {
        "claim": "core.3/1",
        "owed_minor": 100,
        "amount_minor": 66,
        "allocated_minor": 66,
        "deferred_minor": 34,
    }


def test_cut_off__without_any_capital_all_is_deferred_and_every_claim_hears_it() -> None:
    pool = claims_of(100, 50).fire()
    assert pool.told() == {"core.1/1": 0, "core.2/1": 0}
    assert pool.settled().deferred_minor == 150


def test_cut_off__without_a_claim_only_closes() -> None:
    pool = confirmed(100).fire()
    pool.then(SettlementClosed(pool="core", incident="P/1", deferred_minor=0))
    assert pool.state.unclosed == ()


def test_cut_off__claims_that_were_paid_take_no_part() -> None:
    pool = with_capital(confirmed(100, 200), 0, 0, 300).when(claimed("core.1/1", 100, "approved"), at=DECIDED)
    pool.when(claimed("core.2/1", 150), at=DECIDED).fire()
    assert pool.told() == {"core.2/1": 150}
    assert pool.settled().claims_count == 1


def test_cut_off__other_open_incidents_take_part_in_what_is_there() -> None:
    pool = claims_of(300, senior=10_000)
    pool.when(cover(150, "Q", transaction="0x9"), at=START).when(decided("Q/1"), at=DECIDED + DAY)
    pool.when(claimed("core.3/1", 100, incident="Q/1"), at=DECIDED + DAY)
    with_capital(pool, 0, 0, 201).fire()
    # 201 × 300 ÷ 400 = 150.75
    assert (pool.settled().incident, pool.settled().distributed_minor) == ("P/1", 150)
    pool.fire()
    assert (pool.settled().incident, pool.settled().distributed_minor) == ("Q/1", 51)


def test_cut_off__what_was_deferred_before_takes_no_part() -> None:
    pool = claims_of(300, senior=100).fire()
    pool.when(decided("P/2", decided_at=END), at=END)
    pool.when(claimed("core.1/2", 1, incident="P/2"), at=END)
    with_capital(pool, 0, 0, 1).fire()
    assert (pool.settled().incident, pool.settled().distributed_minor) == ("P/2", 1)


def test_all_decided__settles_before_the_cut_off_when_nothing_more_can_come() -> None:
    pool = with_capital(confirmed(600, 400), 0, 0, 500)
    pool.when(claimed("core.1/1", 600, "approved"), at=DECIDED).then_types("reserve.changed.v1")
    pool.when(claimed("core.2/1", 100), at=DECIDED).then_types("reserve.changed.v1")
    pool.when(claimed("core.2/1", 100, "approved"), at=DECIDED)
    pool.then_types("reserve.changed.v1", "incident.settled.v1", "settlement.lines.v1", "settlement.closed.v1")
    # 700 owed, 500 there: 428 and 4/7, 71 and 3/7.
    assert pool.told() == {"core.1/1": 429, "core.2/1": 71}
    assert pool.settled().settled_at == DECIDED


def test_all_decided__paid_at_once_closes() -> None:
    pool = confirmed(60).when(claimed("core.1/1", 60, "approved"), at=DECIDED)
    pool.then_types("reserve.changed.v1", "incident.settled.v1", "settlement.lines.v1", "settlement.closed.v1")
    assert pool.state.books.payable == 60


def test_held__undecided_claim_takes_part_at_what_is_claimed_and_keeps_the_incident_open() -> None:
    pool = claims_of(100, 100, senior=100, undecided=1).fire()
    assert pool.told() == {"core.1/1": 50, "core.2/1": 50}
    assert pool.state.unclosed == ("P/1",)
    pool.when(claimed("core.2/1", 100, "approved"), at=END).then_types("reserve.changed.v1", "settlement.closed.v1")
    assert pool.events[-1] == SettlementClosed(pool="core", incident="P/1", deferred_minor=100)
    assert pool.state.unclosed == ()


def test_freed__share_of_a_denied_claim_tops_up_the_others_exactly() -> None:
    pool = claims_of(300, 100, 200, senior=300, undecided=1).fire()
    assert pool.told() == {"core.1/1": 150, "core.2/1": 50, "core.3/1": 100}
    pool.when(claimed("core.3/1", 0, "closed"), at=END + DAY)
    pool.then_types("reserve.changed.v1", "incident.settled.v1", "settlement.lines.v1", "settlement.closed.v1")
    event = pool.settled()
    assert (event.cause, event.owed_minor, event.distributed_minor, event.deferred_minor) == ("freed", 200, 100, 100)
    assert pool.told() == {"core.1/1": 75, "core.2/1": 25}
    # As if it had never been claimed: 300 over 300 and 100.
    assert allocated(pool) == {"core.1/1": 225, "core.2/1": 75, "core.3/1": 0}
    assert [(each.account, each.amount_minor) for each in event.postings] == [("unfunded", "-200"), ("deferred", "200")]
    assert event.waterfall.model_dump() == {"reserve_minor": 0, "junior_minor": 0, "senior_minor": 0}


def test_freed__a_unit_goes_to_one_and_only_who_gets_something_hears() -> None:
    pool = claims_of(3, 3, 1, 1, senior=4, undecided=2).fire()
    # 4 over 8: 1 and a half, 1 and a half, a half, a half: a unit for the first two.
    assert allocated(pool) == {"core.1/1": 2, "core.2/1": 2, "core.3/1": 0, "core.4/1": 0}
    pool.when(claimed("core.4/1", 0, "closed"), at=END)
    pool.then_types("reserve.changed.v1", "incident.settled.v1")
    assert pool.settled().distributed_minor == 0
    assert pool.state.books.deferred == 3
    pool = claims_of(3, 3, 2, senior=4, undecided=1).fire()
    # 4 over 8: 1 and a half for the first two, 1 for the third: one unit for the first.
    assert allocated(pool) == {"core.1/1": 2, "core.2/1": 1, "core.3/1": 1}
    pool.when(claimed("core.3/1", 0, "closed"), at=END)
    assert pool.told() == {"core.2/1": 1}


def test_freed__what_nobody_is_owed_goes_back_in_reverse_order_of_the_waterfall() -> None:
    pool = claims_of(100, 250, reserve=100, junior=100, senior=150, undecided=1).fire()
    assert pool.balances() == (0, 0, 0)
    pool.when(claimed("core.2/1", 0, "closed"), at=END)
    assert pool.settled().distributed_minor == 0
    assert pool.balances() == (0, 100, 150)
    pool = claims_of(10, 340, reserve=100, junior=100, senior=150, undecided=1).fire()
    pool.when(claimed("core.2/1", 0, "closed"), at=END)
    assert pool.balances() == (90, 100, 150)


def test_freed__shares_of_an_earlier_epoch_get_nothing_back() -> None:
    pool = claims_of(10, 340, reserve=100, junior=100, senior=150, undecided=1).fire()
    pool.when(deposit(7, "senior", CAROL, "0x7"), at=END)
    pool.when(claimed("core.2/1", 0, "closed"), at=END)
    assert pool.balances() == (240, 100, 7)


def test_freed__tops_up_first_and_gives_back_the_rest() -> None:
    pool = claims_of(100, 300, junior=100, senior=100, undecided=1).fire()
    assert pool.told() == {"core.1/1": 50, "core.2/1": 150}
    pool.when(claimed("core.2/1", 0, "closed"), at=END)
    assert pool.told() == {"core.1/1": 50}
    assert pool.balances() == (0, 0, 100)
    assert pool.state.books.deferred == 0
    assert pool.state.owing == ()


def test_freed__reduced_claim_keeps_its_share_of_less() -> None:
    pool = claims_of(100, 100, senior=120, undecided=1).fire()
    assert pool.told() == {"core.1/1": 60, "core.2/1": 60}
    pool.when(claimed("core.2/1", 70), at=END).then_types(
        "reserve.changed.v1", "incident.settled.v1", "settlement.lines.v1"
    )
    assert (pool.settled().distributed_minor, pool.settled().deferred_minor) == (18, 50)
    assert allocated(pool) == {"core.1/1": 71, "core.2/1": 49}, "the same share, as near as whole units come"
    pool.when(claimed("core.2/1", 45), at=END)
    assert pool.told() == {"core.1/1": 12, "core.2/1": 6}
    pool.when(claimed("core.2/1", 40, "approved"), at=END)
    pool.then_types("reserve.changed.v1", "incident.settled.v1", "settlement.lines.v1", "settlement.closed.v1")
    assert allocated(pool) == {"core.1/1": 86, "core.2/1": 34}


def test_freed__claim_never_comes_to_more_after_the_settlement() -> None:
    pool = claims_of(100, 100, senior=120, undecided=1).fire()
    pool.when(claimed("core.2/1", 101), at=END).then_nothing()
    pool.when(claimed("core.2/1", 101, "approved"), at=END).then_types("reserve.changed.v1", "settlement.closed.v1")
    assert pool.events[0].amount_minor == 100  # type: ignore[attr-defined]


def test_late__claim_heard_of_after_the_settlement_gets_the_share_that_the_others_have() -> None:
    pool = claims_of(300, 100, senior=10_000)
    pool.when(cover(41, transaction="0x9"), at=START)
    with_capital(pool, 0, 0, 200).fire()
    with_capital(pool, 0, 0, 100).when(claimed("core.4/1", 41), at=END + 1)
    pool.then_types("reserve.changed.v1", "incident.settled.v1", "settlement.lines.v1")
    event = pool.settled()
    assert (event.cause, event.claims) == ("cut-off", ("core.4/1",))
    assert pool.told() == {"core.4/1": 20}
    assert event.deferred_minor == 200 + 21
    assert pool.state.unclosed == ("P/1",)
    pool.when(claimed("core.4/1", 41, "approved"), at=END + 2).then_types("reserve.changed.v1", "settlement.closed.v1")


def test_late__as_far_as_capital_goes() -> None:
    pool = claims_of(300, senior=300)
    pool.when(cover(40, transaction="0x9"), at=START)
    with_capital(pool, 0, 0, 310).fire()
    pool.when(claimed("core.3/1", 40, "approved"), at=END + 1)
    pool.then_types("reserve.changed.v1", "incident.settled.v1", "settlement.lines.v1", "settlement.closed.v1")
    assert pool.told() == {"core.3/1": 10}
    pool = confirmed(100).fire()
    pool.when(claimed("core.1/1", 40, "approved"), at=END + 1)
    assert pool.told() == {"core.1/1": 40}, "there were no others"


def test_income__premium_pays_what_is_deferred_first() -> None:
    pool = claims_of(300, 100, senior=200).fire()
    pool.when(deposit(10_000, "senior", CAROL, "0x7"), at=END)
    pool.when(cover(3_000, "Q", transaction="0x8"), at=END)
    pool.then_types("cover.sold.v1", "incident.settled.v1", "settlement.lines.v1")
    sale, event = pool.events[0], pool.settled()
    assert isinstance(sale, CoverSold)
    assert sale.premium_minor < 200
    assert (event.cause, event.owed_minor, event.distributed_minor) == ("income", 200, sale.premium_minor)
    assert sum(pool.told().values()) == sale.premium_minor
    assert pool.balances() == (0, 0, 10_000)
    pool.when(cover(3_000, "Q", transaction="0x9"), at=END)
    assert pool.settled().deferred_minor == 0
    assert allocated(pool) == {"core.1/1": 300, "core.2/1": 100}
    assert pool.state.owing == ()
    assert sum(pool.balances()) > 10_000
    pool.when(cover(10, "Q", transaction="0xa"), at=END).then_types("cover.sold.v1")


def test_income__incidents_share_by_what_they_still_owe() -> None:
    pool = claims_of(200, 1, senior=0).fire()
    pool.when(decided("P/2", decided_at=END), at=END).when(claimed("core.1/2", 1, incident="P/2"), at=END)
    pool.fire()
    assert pool.state.owing == ("P/1", "P/2")
    pool.when(deposit(10_000, "senior", CAROL, "0x7"), at=END)
    pool.when(cover(100, "Q", transaction="0x8", period=30 * DAY), at=END)
    # A premium of one: 201 ÷ 202 for the first incident, 1 ÷ 202 for the second.
    assert pool.told() == {"core.1/1": 1}
    pool.then_types("cover.sold.v1", "incident.settled.v1", "settlement.lines.v1")
    pool.when(cover(10_000, "Q", transaction="0x9"), at=END)
    assert pool.told() == {"core.1/1": 199, "core.1/2": 1, "core.2/1": 1}
    assert pool.state.books.deferred == 0


def many(count: int, undecided: int = 0) -> Books:
    return claims_of(*([10] * count), senior=5 * count, undecided=undecided)


def test_lines__many_are_told_in_chunks_at_once() -> None:
    pool = many(450).fire()
    first = pool.events[1]
    assert isinstance(first, SettlementLines)
    assert (len(first.lines), first.more) == (200, True)
    assert pool.deadlines()[0] == ("lines/P/1/1/2", END)
    told = dict(pool.told())
    for more in (True, False):
        pool.fire().then_types("settlement.lines.v1")
        assert pool.events[0].more is more  # type: ignore[attr-defined]
        told |= pool.told()
    assert told == {f"core.{number}/1": 5 for number in range(1, 451)}
    assert list(told) == sorted(told)
    assert pool.state.pending == ()


def test_lines__of_a_later_allocation_wait_for_those_of_the_earlier_one() -> None:
    pool = many(250, undecided=1).fire()
    pool.when(claimed("core.250/1", 0, "closed"), at=END)
    pool.then_types("reserve.changed.v1", "incident.settled.v1", "settlement.closed.v1")
    assert pool.deadlines()[0].name == "lines/P/1/1/2"
    pool.fire()
    assert len(pool.told()) == 50
    assert pool.deadlines()[0].name == "lines/P/1/2/1"
    pool.fire()
    assert pool.told() == {f"core.{number}/1": 1 for number in (1, 10, 100, 101, 102)}
    assert pool.state.pending == ()


def test_law__what_the_lines_say_is_what_was_distributed() -> None:
    pool = claims_of(7, 11, 13, 17, senior=19, undecided=2).fire()
    assert sum(pool.told().values()) == pool.settled().distributed_minor == 19
    state = pool.state.incidents["P/1"]
    assert sum(each.amount_minor for each in owing_claims(state)) == state.unallocated_minor == 48 - 19


def test_transfers__leave_the_books_and_are_booked_once() -> None:
    pool = claims_of(300, 100, senior=200).fire()
    for payout, amount_minor in (("core.1/1/1", 150), ("core.2/1/1", 50)):
        pool.when(transferred(payout, amount_minor), at=END).then_types("payout.booked.v1")
    assert pool.state.books.payable == 0
    assert pool.state.books.cash == 0
    pool.when(transferred("core.1/1/1", 150), at=END).then_nothing()


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_law__order_of_filing_and_deciding_is_nothing_to_the_shares(order: tuple[int, ...]) -> None:
    pool = with_capital(confirmed(101, 101, 101), 0, 0, 200)
    for number in order:
        pool.when(claimed(f"core.{number}/1", 100), at=DECIDED)
    for number in reversed(order):
        pool.when(claimed(f"core.{number}/1", 100, "approved"), at=DECIDED)
    event = next((event for event in pool.events if isinstance(event, IncidentSettled)), None)
    assert event is not None, "nothing more could come"
    assert pool.told() == {"core.1/1": 67, "core.2/1": 67, "core.3/1": 66}
