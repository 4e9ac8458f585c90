import pytest

from schemas.instants import DAY
from schemas.pools import ReserveChanged, SettlementOpened
from services.pools.pool import provision
from tests.unit.pools.examples import (
    CUT_OFF,
    FACTS,
    HOUR,
    START,
    Books,
    claimed,
    confirmed,
    cover,
    decided,
    funded,
    halted,
    knowing,
    product,
    published,
    reopened,
    sold,
    transferred,
    unopened,
)

DECIDED = START + DAY


def opening(pool: Books) -> SettlementOpened:
    (event,) = pool.events
    assert isinstance(event, SettlementOpened)
    return event


def brings(pool: Books, incident: str = "P/1") -> tuple[int, int]:
    """What an incident's claims are reserved at, and what covers could bring beyond."""
    state = pool.state.incidents[incident]
    return state.reserved_minor, provision(pool.state, state)


def test_confirmed__opens_the_settlement_until_the_cut_off() -> None:
    event = opening(confirmed(100, 200))
    assert event.model_dump() == {
        "pool": "core",
        "incident": "P/1",
        "product": "P",
        "occurred_at": DECIDED - HOUR,
        "decided_at": DECIDED,
        "window": CUT_OFF,
        "cut_off_at": DECIDED + CUT_OFF,
        "provision_minor": 300,
    }


def test_confirmed__twice_or_not_at_all_has_no_effect() -> None:
    confirmed(100).when(decided(), at=DECIDED).then_nothing()
    sold(100).when(decided(status="rejected"), at=DECIDED).then_nothing()
    sold(100).when(decided(status="drawn"), at=DECIDED).then_nothing()
    unopened().when(decided(), at=DECIDED).then_nothing()


def test_confirmed__of_a_product_without_cover_that_can_be_claimed_on_has_no_effect() -> None:
    funded().when(decided(), at=DECIDED).then_nothing()
    pool = sold(100)
    end = START + 400 * DAY
    opening(pool.when(decided("P/1", decided_at=end), at=end))
    pool.when(decided("P/2", decided_at=end + 1), at=end).then_nothing()


def test_confirmed__halts_keep_cover_claimable_for_longer() -> None:
    end = START + 400 * DAY
    pool = sold(100, facts=knowing(halted(START + DAY, START + DAY + HOUR), since=FACTS))
    opening(pool.when(decided("P/1", decided_at=end + HOUR), at=end))
    pool.when(decided("P/2", decided_at=end + HOUR + 1), at=end).then_nothing()


def test_confirmed__longest_cut_off_of_what_can_still_be_claimed_on() -> None:
    facts = knowing(
        published(2, cut_off=20 * DAY), published(3, cut_off=10 * DAY), product("P", rulebook="house@2"), since=FACTS
    )
    pool = sold(100)
    pool.with_facts(facts).when(cover(10, transaction="0x2", period=30 * DAY), at=START)
    pool.with_facts(knowing(product("P", rulebook="house@3"), since=facts))
    pool.when(cover(10, transaction="0x3"), at=START)
    assert opening(pool.when(decided(), at=DECIDED)).window == 20 * DAY
    late = START + 66 * DAY
    assert opening(pool.when(decided("P/2", decided_at=late), at=late)).window == CUT_OFF


def test_cut_off__counts_time_outside_halts() -> None:
    facts = knowing(
        halted(START, START + HOUR),
        halted(DECIDED - HOUR, DECIDED + HOUR),
        halted(DECIDED + DAY, DECIDED + 2 * DAY),
        halted(DECIDED + CUT_OFF + DAY + HOUR, DECIDED + CUT_OFF + 2 * DAY),
        since=FACTS,
    )
    pool = funded(facts=FACTS).when(cover(100), at=START).with_facts(facts)
    pool.when(decided(), at=DECIDED)
    assert pool.events[0].cut_off_at == DECIDED + CUT_OFF + HOUR + DAY  # type: ignore[attr-defined]


def test_halt__moves_the_cut_off_of_its_product_and_its_early_end_moves_it_back() -> None:
    pool = confirmed(100)
    begin = DECIDED + 3 * DAY
    halt = halted(begin, begin + DAY)
    pool.with_facts(knowing(halt, since=FACTS)).when(halt, at=begin - HOUR).then_types("settlement.moved.v1")
    assert pool.deadlines()[0] == ("cut-off/P/1", DECIDED + CUT_OFF + DAY)
    pool.when(halt, at=begin - HOUR).then_nothing()
    end = reopened(begin, begin + HOUR)
    pool.with_facts(knowing(end, since=pool.facts)).when(end, at=begin + HOUR).then_types("settlement.moved.v1")
    assert pool.deadlines()[0] == ("cut-off/P/1", DECIDED + CUT_OFF + HOUR)


def test_halt__of_another_product_after_the_cut_off_or_the_settlement_moves_nothing() -> None:
    for halt in (halted(DECIDED, DECIDED + DAY, "Q"), halted(DECIDED + CUT_OFF, DECIDED + CUT_OFF + DAY)):
        pool = confirmed(100)
        pool.with_facts(knowing(halt, since=FACTS)).when(halt, at=DECIDED).then_nothing()
    pool = confirmed(100).when(claimed("core.1/1", 100), at=DECIDED).fire()
    halt = halted(DECIDED, DECIDED + DAY)
    pool.with_facts(knowing(halt, since=FACTS)).when(halt, at=DECIDED + CUT_OFF).then_nothing()


def test_reserve__follows_a_claim_and_lowers_the_provision() -> None:
    pool = confirmed(100, 200)
    assert brings(pool) == (0, 300)
    pool.when(claimed("core.1/1", 60), at=DECIDED).then(
        ReserveChanged(
            pool="core",
            claim="core.1/1",
            cover="core.1",
            incident="P/1",
            amount_minor=60,
            status="undecided",
            reserved_minor=60,
        )
    )
    assert brings(pool) == (60, 240), "the rest of the cover: the claim could be denied, and filed again for more"
    pool.when(claimed("core.1/1", 50), at=DECIDED)
    assert brings(pool) == (50, 250)
    pool.when(claimed("core.1/1", 0, "closed"), at=DECIDED)
    assert brings(pool) == (0, 300)
    pool.when(claimed("core.1/2", 70), at=DECIDED)
    assert brings(pool) == (70, 230)


def test_reserve__approved_claim_leaves_no_provision_for_its_cover() -> None:
    pool = confirmed(1_500, 200)
    pool.when(claimed("core.1/1", 1_400), at=DECIDED).when(claimed("core.1/1", 1_300, "approved"), at=DECIDED)
    assert brings(pool) == (1_300, 200), "a cover pays for an incident once"


def test_reserve__nothing_is_provided_for_after_the_settlement() -> None:
    pool = confirmed(100, 200).when(claimed("core.1/1", 60), at=DECIDED).fire()
    assert brings(pool) == (60, 0)


def test_reserve__the_same_again_or_what_cannot_be_has_no_effect() -> None:
    pool = confirmed(1_500, 200).when(claimed("core.1/1", 1_400), at=DECIDED)
    for nothing in (
        claimed("core.1/1", 1_400),
        claimed("core.1/2", 0, "closed"),
        claimed("core.7/1", 10),
        claimed("core.1/1", 10, incident="P/2"),
    ):
        pool.when(nothing, at=DECIDED).then_nothing()
    pool.when(claimed("core.1/1", 1_400, "approved"), at=DECIDED)
    pool.when(claimed("core.1/1", 1_400), at=DECIDED).then_nothing()
    pool.when(claimed("core.2/1", 10), at=DECIDED).when(claimed("core.2/1", 0, "closed"), at=DECIDED)
    pool.when(claimed("core.2/1", 10), at=DECIDED).then_nothing()
    unopened().when(claimed("core.1/1", 10), at=DECIDED).then_nothing()


def test_reserve__cover_of_another_product_is_nothing_to_an_incident() -> None:
    pool = confirmed(100).when(cover(50, "Q", transaction="0x2"), at=DECIDED)
    pool.when(claimed("core.2/1", 10), at=DECIDED).then_nothing()


def test_reserve__claim_keeps_its_cover_from_lapsing_until_it_is_closed() -> None:
    pool = sold(100, 200)
    end = START + 400 * DAY
    pool.when(decided(decided_at=end), at=end).when(claimed("core.1/1", 60), at=end)
    assert pool.fire().events[0].amounts_minor == {"P": 200}  # type: ignore[attr-defined]
    assert pool.state.exposure.total_minor == 100
    pool.when(claimed("core.1/1", 0, "closed"), at=end + 2 * DAY)
    assert pool.state.exposure.total_minor == 0
    assert [name for name, _ in pool.deadlines()] == ["cut-off/P/1"]


def test_reserve__cover_that_was_held_over_its_day_lapses_at_once() -> None:
    pool = sold(100)
    end = START + 400 * DAY
    pool.when(decided(decided_at=end), at=end).when(claimed("core.1/1", 60), at=end)
    assert [name for name, _ in pool.deadlines()] == ["cut-off/P/1"]
    pool.when(claimed("core.1/1", 0, "closed"), at=end + 2 * DAY)
    assert pool.state.exposure.total_minor == 100
    pool.fire().then_types("covers.lapsed.v1")
    assert pool.state.exposure.total_minor == 0


def test_reserve__cover_that_lapsed_counts_again_while_it_is_claimed_on() -> None:
    """A halt makes the grace longer in claims, where it is kept; the lapse is not moved by it."""
    pool = sold(100)
    end = START + 400 * DAY
    pool.when(decided(decided_at=end), at=end).fire()
    assert pool.state.exposure.total_minor == 0
    pool.when(claimed("core.1/1", 60), at=end + 2 * DAY)
    assert pool.state.exposure.total_minor == 100
    pool.when(claimed("core.1/1", 0, "closed"), at=end + 2 * DAY)
    assert pool.state.exposure.total_minor == 0


def test_reserve__cover_is_held_by_claims_for_two_incidents() -> None:
    pool = confirmed(100).when(decided("P/2"), at=DECIDED)
    pool.when(claimed("core.1/1", 60), at=DECIDED).when(claimed("core.1/2", 40, incident="P/2"), at=DECIDED)
    assert pool.state.exposure.lapses == ()
    pool.when(claimed("core.1/1", 0, "closed"), at=DECIDED)
    assert pool.state.exposure.lapses == ()
    pool.when(claimed("core.1/2", 0, "closed", "P/2"), at=DECIDED)
    assert len(pool.state.exposure.lapses) == 1


def test_paid__lowers_the_cover_and_what_it_can_still_bring() -> None:
    pool = confirmed(100, 200).when(decided("P/2"), at=DECIDED)
    pool.when(claimed("core.1/1", 60, "approved"), at=DECIDED)
    pool.when(claimed("core.1/2", 40, incident="P/2"), at=DECIDED)
    assert (brings(pool), brings(pool, "P/2")) == ((60, 200), (40, 260))
    pool.when(transferred("core.1/1/1", 60), at=DECIDED).then_types("payout.booked.v1")
    assert pool.state.exposure.total_minor == 240
    assert (brings(pool), brings(pool, "P/2")) == ((60, 200), (40, 200))
    pool.when(transferred("core.1/1/1", 60), at=DECIDED).then_nothing()


def test_paid__cover_without_a_live_claim_lapses_with_what_remains() -> None:
    pool = confirmed(100).when(claimed("core.1/1", 60, "approved"), at=DECIDED)
    pool.when(transferred("core.1/1/1", 60), at=DECIDED + CUT_OFF)
    assert pool.state.exposure.total_minor == 40
    assert pool.fire().events[0].amounts_minor == {"P": 40}  # type: ignore[attr-defined]
    pool = confirmed(60).when(claimed("core.1/1", 60, "approved"), at=DECIDED)
    pool.when(transferred("core.1/1/1", 60), at=DECIDED + CUT_OFF)
    assert pool.state.exposure.total_minor == 0
    assert pool.deadlines() == []


def test_paid__after_the_lapse_lowers_no_exposure() -> None:
    pool = sold(100, 50)
    end = START + 400 * DAY
    pool.when(decided(decided_at=end), at=end).when(claimed("core.1/1", 60, "approved"), at=end).fire().fire()
    assert pool.state.exposure.total_minor == 0
    pool.when(transferred("core.1/1/1", 60), at=end + 20 * DAY).then_types("payout.booked.v1")
    assert pool.state.exposure.total_minor == 0


def test_paid__what_the_pool_does_not_know_has_no_effect() -> None:
    confirmed(100).when(transferred("core.1/1/1", 60), at=DECIDED).then_nothing()


def test_paid__more_than_the_cover_is_a_bug() -> None:
    pool = confirmed(100).when(claimed("core.1/1", 60, "approved"), at=DECIDED)
    with pytest.raises(AssertionError):
        pool.when(transferred("core.1/1/1", 101), at=DECIDED)
