"""The calendar of the demonstration's story: days as they are, or of a few seconds."""

from schemas.instants import DAY
from schemas.rulebook import Ballot, Cooldown, Corroboration
from services.cli.demo.calendar import Calendar, Hurried
from services.governance.rulebooks import parse_rulebook, read_shipped

HOUR = 3_600_000
OPENING = 1_772_442_000_000
HOUSE = parse_rulebook(read_shipped("house"))


def test_instants__counted_from_nine_on_the_first_day() -> None:
    for calendar, day in ((Calendar(OPENING), DAY), (Hurried(OPENING, 2), 2_000)):
        assert calendar.instant_of(1, "09:00") == OPENING
        assert calendar.instant_of(3, "21:00") == OPENING + 2 * day + day // 2
        assert calendar.day_of(calendar.instant_of(3, "21:00")) == 3
        assert calendar.span(36 * HOUR) == day * 3 // 2


def test_rules__as_they_are_written() -> None:
    assert Calendar(OPENING).rules(HOUSE) is HOUSE


def test_rules_in_a_hurry__whole_seconds_and_nothing_else_changed() -> None:
    rules = Hurried(OPENING, 2).rules(HOUSE)
    (corroboration,) = rules.incident.procedure
    ballot, cooldown = rules.claim.procedure
    assert isinstance(ballot, Ballot)
    assert isinstance(cooldown, Cooldown)
    assert isinstance(corroboration, Corroboration)
    assert ballot.early_close is not None
    assert (rules.incident.join_window, rules.claim.intake.not_before) == (1_000, 6_000)
    assert (ballot.window, ballot.early_close.after, cooldown.length) == (6_000, 1_000, 2_000)
    assert (rules.claim.payout.first_retry, rules.claim.payout.longest_retry) == (1_000, 2_000)
    # They end when what they wait for comes.
    assert (corroboration.window, rules.claim.payout.receipt_within) == (30_000, 30_000)
    assert (rules.id, rules.title, ballot.quorum) == (HOUSE.id, HOUSE.title, HOUSE.claim.procedure[0].quorum)  # type: ignore[union-attr]


def test_for_people__days_or_seconds() -> None:
    instant = Calendar(OPENING).instant_of(2, "10:05")
    assert Calendar(OPENING).moment(instant) == "day 2 10:05"
    assert Calendar(OPENING).moment(OPENING - 60 * DAY) == "2026-01-01"
    assert Hurried(OPENING, 2).moment(OPENING + 12_345) == "second 12.35"
