from dataclasses import replace

from schemas.instants import DAY
from schemas.pools import CapitalDeposited, CapitalWithdrawalRequested, CapitalWithdrawn, PoolOpened, PoolTermsChanged
from services.kernel.specification import Specification
from tests.unit.pools.examples import (
    ALICE,
    BOB,
    CAROL,
    FACTS,
    LISTED,
    NOTICE,
    START,
    TERMS,
    UNLIMITED,
    USDC,
    Books,
    alarmed,
    claimed,
    confirmed,
    decided,
    deposit,
    funded,
    halted,
    knowing,
    leave,
    opened,
    product,
    sold,
    transferred,
    unopened,
    withdraw,
)

EXIT = START + NOTICE


def deposited(specification: Specification) -> CapitalDeposited:
    (event,) = specification.events
    assert isinstance(event, CapitalDeposited), event
    return event


def withdrawn(specification: Specification) -> CapitalWithdrawn:
    (event,) = specification.events
    assert isinstance(event, CapitalWithdrawn), event
    return event


def worth(pool: Books, **balances: int) -> Books:
    """The pool with other balances, whatever made them so."""
    books = replace(pool.state.books, **balances)
    pool.state = replace(pool.state, books=replace(books, cash=books.free + books.payable))
    return pool


def test_pool__is_opened_once_and_changes_its_terms() -> None:
    pool = unopened().when(LISTED, at=START)
    pool.then(PoolOpened(pool="core", title="Core", asset=USDC, terms=TERMS))
    pool.when(LISTED, at=START).then_nothing()
    pool.when(LISTED.model_copy(update={"terms": UNLIMITED}), at=START)
    pool.then(PoolTermsChanged(pool="core", title="Core", terms=UNLIMITED))
    pool.when(LISTED.model_copy(update={"title": "New"}), at=START).then_types("pool.terms-changed.v1")


def test_deposit__first_one_of_a_tranche_gets_a_share_for_each_unit() -> None:
    event = deposited(opened().when(deposit(400, "junior"), at=START))
    assert (event.shares_minor, event.tranche_shares_minor, event.share_bps) == (400, 400, 10_000)
    assert [(each.account, each.amount_minor) for each in event.postings] == [
        ("cash", "400"),
        ("capital:junior", "-400"),
    ]


def test_deposit__share_of_the_pool_counts_both_tranches_rounded_up() -> None:
    event = deposited(funded(400, 600).when(deposit(500, "senior", ALICE, "0x2"), at=START))
    assert event.share_bps == 6_000
    event = deposited(funded(400, 600).when(deposit(1, "senior", CAROL), at=START))
    assert event.share_bps == 10, "one of 1,001 is 9.99"


def test_deposit__at_what_shares_are_worth_rounded_down() -> None:
    pool = worth(funded(), senior=900)
    event = deposited(pool.when(deposit(100, "senior", CAROL), at=START))
    assert event.shares_minor == 66, "100 × 600 ÷ 900"
    assert event.tranche_shares_minor == 666


def test_deposit__same_transaction_counts_once_for_each_account() -> None:
    pool = funded()
    refusal = pool.when(deposit(1, "junior", ALICE), at=START).then_refused("capital.transaction-counted")
    assert "a deposit of 400" in refusal.value
    deposited(pool.when(deposit(1, "junior", CAROL), at=START))


def test_deposit__into_an_unknown_pool() -> None:
    assert unopened().when(deposit(1), at=START).then_refused("capital.pool-unknown").unknown


def test_deposit__too_small_for_a_share() -> None:
    pool = worth(funded(), senior=6_001)
    refusal = pool.when(deposit(10, "senior", CAROL), at=START).then_refused("capital.no-share")
    assert refusal.accepted == "at least 11"
    assert deposited(pool.when(deposit(11, "senior", CAROL), at=START)).shares_minor == 1


def test_deposit__more_shares_than_can_be_counted() -> None:
    pool = worth(opened().when(deposit(2**127, "senior", BOB), at=START), senior=1)
    pool.when(deposit(2**127, "senior", CAROL, "0x2"), at=START)
    pool = worth(pool, senior=1)
    refusal = pool.when(deposit(2**127, "senior", CAROL, "0x3"), at=START).then_refused("capital.too-many-shares")
    assert refusal.accepted == "at most 2"


def test_deposit__into_a_tranche_that_was_wiped_out_starts_anew() -> None:
    pool = worth(funded(), senior=0)
    pool.when(leave(600), at=START)
    event = deposited(pool.when(deposit(50, "senior", CAROL), at=START))
    assert (event.shares_minor, event.tranche_shares_minor) == (50, 50)
    assert event.share_bps == 1_112, "50 of 450"
    pool.when(withdraw(), at=EXIT).then_refused("capital.not-requested")
    assert "at most 0" in pool.when(leave(1), at=START).then_refused("capital.above-own").accepted
    assert deposited(pool.when(deposit(10, "senior", BOB, "0x2"), at=START)).tranche_shares_minor == 60


def test_deposit__of_who_was_wiped_out_counts_alone() -> None:
    pool = worth(funded(0, 600), senior=0)
    event = deposited(pool.when(deposit(50, "senior", BOB, "0x2"), at=START))
    assert (event.tranche_shares_minor, event.share_bps) == (50, 10_000)
    pool.when(leave(51), at=START).then_refused("capital.above-own")
    pool.when(leave(50), at=START).then_types("capital.withdrawal-requested.v1")


def test_request__waits_for_the_notice_from_since() -> None:
    pool = funded().when(leave(600), at=START + 5, since=START)
    (event,) = pool.events
    assert isinstance(event, CapitalWithdrawalRequested)
    assert event.available_at == EXIT


def test_request__of_unknown_pool_more_than_own_or_twice() -> None:
    assert unopened().when(leave(1), at=START).then_refused("capital.pool-unknown").unknown
    pool = funded()
    assert "at most 600" in pool.when(leave(601), at=START).then_refused("capital.above-own").accepted
    pool.when(leave(1, "junior"), at=START).then_refused("capital.above-own")
    pool.when(leave(100), at=START).when(leave(100), at=START).then_refused("capital.already-requested")
    pool.when(leave(100, "junior", ALICE), at=START).then_types("capital.withdrawal-requested.v1")


def test_withdraw__after_the_notice_at_what_shares_are_worth() -> None:
    pool = worth(funded(400, 600).when(leave(100), at=START), senior=599)
    event = withdrawn(pool.when(withdraw(), at=EXIT))
    assert (event.amount_minor, event.shares_minor, event.tranche_shares_minor) == (99, 100, 500)
    assert event.payout == "pool:core/1"
    assert event.share_bps == 5_556, "500 of 900"
    assert event.arithmetic[0].result_minor == "99"
    assert pool.balances() == (0, 400, 500)
    assert pool.state.books.payable == 99


def test_withdraw__all_takes_all() -> None:
    pool = worth(funded(0, 600).when(leave(600), at=START), senior=601)
    event = withdrawn(pool.when(withdraw(), at=EXIT))
    assert (event.amount_minor, event.tranche_shares_minor, event.share_bps) == (601, 0, 0)
    assert deposited(pool.when(deposit(7, "senior", BOB, "0x2"), at=EXIT)).shares_minor == 7


def test_withdraw__shares_worth_nothing_leave_without_a_payout() -> None:
    pool = worth(funded().when(leave(600), at=START), senior=0)
    event = withdrawn(pool.when(withdraw(), at=EXIT))
    assert (event.amount_minor, event.payout, event.postings) == (0, None, ())


def test_withdraw__transfer_is_booked_once() -> None:
    pool = funded().when(leave(100), at=START).when(withdraw(), at=EXIT)
    pool.when(transferred("pool:core/1", 100), at=EXIT).then_types("payout.booked.v1")
    assert pool.state.books.payable == 0
    assert pool.state.books.cash == 900
    pool.when(transferred("pool:core/1", 100), at=EXIT).then_nothing()
    pool.when(transferred("pool:core/2", 100), at=EXIT).then_nothing()
    unopened().when(transferred("pool:core/1", 100), at=EXIT).then_nothing()


def test_withdraw__not_asked_for_or_within_the_notice() -> None:
    assert unopened().when(withdraw(), at=START).then_refused("capital.pool-unknown").unknown
    pool = funded().when(withdraw(), at=EXIT)
    pool.then_refused("capital.not-requested")
    pool.when(leave(100), at=START).when(withdraw(), at=EXIT - 1)
    assert pool.then_refused("capital.in-notice").not_before == EXIT
    withdrawn(pool.when(withdraw(), at=EXIT))
    pool.when(withdraw(), at=EXIT).then_refused("capital.not-requested")


def test_withdraw__while_a_product_or_what_stands_on_the_same_is_alarmed() -> None:
    bridged = product("R", pool="other", dependencies=("bridge",))
    facts = knowing(bridged, alarmed("R/1", EXIT + DAY), since=FACTS)
    pool = funded(facts=facts).when(leave(100), at=START).when(withdraw(), at=EXIT)
    assert pool.then_refused("capital.incident-open").not_before == EXIT + DAY
    pool.with_facts(knowing(decided("R/1", status="rejected", pool="other"), since=facts))
    withdrawn(pool.when(withdraw(), at=EXIT))


def test_withdraw__after_an_alarm_that_was_never_decided() -> None:
    facts = knowing(alarmed("P/1", EXIT), since=FACTS)
    withdrawn(funded(facts=facts).when(leave(100), at=START).when(withdraw(), at=EXIT))


def test_withdraw__while_only_products_of_others_are_alarmed_or_halted() -> None:
    facts = knowing(product("R", pool="other"), alarmed("R/1", EXIT + DAY), halted(START, EXIT + DAY, "R"), since=FACTS)
    withdrawn(funded(facts=facts).when(leave(100), at=START).when(withdraw(), at=EXIT))


def test_withdraw__while_a_product_is_halted() -> None:
    facts = knowing(halted(START, EXIT + DAY), since=FACTS)
    pool = funded(facts=facts).when(leave(100), at=START).when(withdraw(), at=EXIT)
    assert pool.then_refused("capital.incident-open").not_before == EXIT + DAY
    withdrawn(pool.when(withdraw(), at=EXIT + DAY))


def test_withdraw__while_an_incident_is_not_settled_and_decided() -> None:
    pool = confirmed(100).when(claimed("core.1/1", 100), at=START).when(leave(100), at=START)
    assert "P/1 is" in pool.when(withdraw(), at=EXIT).then_refused("capital.incident-open").value
    pool.when(decided("P/2"), at=EXIT)
    assert "P/1 and 1 more" in pool.when(withdraw(), at=EXIT).then_refused("capital.incident-open").value
    pool.fire().fire()
    pool.when(withdraw(), at=START + 30 * DAY).then_refused("capital.incident-open")
    pool.when(claimed("core.1/1", 0, "closed"), at=START + 30 * DAY)
    withdrawn(pool.when(withdraw(), at=START + 30 * DAY))


def test_withdraw__capital_that_cover_needs() -> None:
    pool = sold(1_000).when(leave(600), at=START)
    # 60 of premium: 12 put aside, 36 and 12 for the tranches; cover of 1,000 needs 500 of 1,048.
    refusal = pool.when(withdraw(), at=EXIT).then_refused("capital.needed")
    assert refusal.value.startswith("612,")
    assert refusal.accepted.startswith("at most 548,")
    pool = sold(810).when(leave(600), at=START)
    withdrawn(pool.when(withdraw(), at=EXIT))


def test_withdraw__pending_shares_bear_losses() -> None:
    """anchors.md section 4: reserve 100 first, then junior 400, then senior 600, of which 60 wait to leave."""
    pool = worth(confirmed(1_000), reserve=100, junior=400, senior=600)
    pool.when(leave(60), at=START + DAY)
    pool.when(claimed("core.1/1", 800, "approved"), at=START + DAY)
    assert pool.balances() == (0, 0, 300)
    pool.fire()
    # A tenth of what is left.
    assert withdrawn(pool.when(withdraw(), at=START + 400 * DAY)).amount_minor == 30
