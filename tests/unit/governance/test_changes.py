"""What a version of a rulebook says of the version before it."""

import pytest

from schemas.governance import RulebookPublished
from schemas.rulebook import Ballot, Cooldown, Corroboration, Rulebook, Stage
from services.governance.changes import LINES_MAX, changes
from services.governance.rulebooks import parse_rulebook, read_shipped
from tests.unit.governance.examples import HOUR, HOUSE, ScopeSpecification, publish, version

TEXT = read_shipped("house")
CORROBORATION, (BALLOT, COOLDOWN) = HOUSE.incident.procedure[0], HOUSE.claim.procedure


def edited(*edits: tuple[str, str]) -> tuple[str, ...]:
    """What differs when texts of the house rulebook's file are replaced, each where it stands first."""
    text = TEXT
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return changes(HOUSE, parse_rulebook(text))


def judged(*stages: Stage) -> Rulebook:
    return HOUSE.model_copy(update={"claim": HOUSE.claim.model_copy(update={"procedure": stages})})


def weighing(**weights: int) -> Rulebook:
    assert isinstance(CORROBORATION, Corroboration)
    stage = CORROBORATION.model_copy(update={"weights": weights})
    incident = HOUSE.incident.model_copy(update={"procedure": (stage,)})
    return HOUSE.model_copy(update={"incident": incident})


def test_version_is_no_change() -> None:
    assert edited(("version = 1", "version = 2")) == ()


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('window = "72h"', 'window = "48h"', 'claim.procedure.0.window: "3d" → "2d"'),
        ("share_bps = 1000", "share_bps = 1500", "claim.procedure.0.quorum.share_bps: 1000 → 1500"),
        ("clause_required = true", "clause_required = false", "claim.procedure.0.clause_required: true → false"),
        (", cap_bps = 500", "", "claim.procedure.0.weight.cap_bps: 500 → none"),
        ('alarm = "72h"\n', "", 'incident.alarm: "3d" → none'),
        (
            '"claimant", "holders", "providers", "interested"',
            '"claimant"',
            'claim.procedure.0.excluded: ["claimant", "holders", "providers", "interested"] → ["claimant"]',
        ),
        ('cut_off = "14d"', 'cut_off = "7d"', 'claim.settlement.cut_off: "14d" → "7d"'),
        ("persons = 2", "persons = 3", "halt.persons: 2 → 3"),
    ],
)
def test_change_names_its_path_and_both_values(old: str, new: str, line: str) -> None:
    assert edited((old, new)) == ((line,))


def test_changes_stand_in_the_order_of_the_rulebook() -> None:
    found = edited(
        ("persons = 2", "persons = 3"),
        ('grace = "35d"', 'grace = "30d"'),
        ('join_window = "12h"', 'join_window = "1h"'),
    )
    assert found == ('incident.join_window: "12h" → "1h"', 'claim.intake.grace: "35d" → "30d"', "halt.persons: 2 → 3")


def test_part_that_is_new_is_named_value_by_value() -> None:
    assert changes(HOUSE.model_copy(update={"halt": None}), HOUSE) == (
        'halt.group: none → "guardians"',
        "halt.persons: none → 2",
        'halt.length_max: none → "1d"',
        'halt.notice: none → "10s"',
        'halt.confirm_within: none → "1h"',
    )


def test_part_that_is_gone_is_named_value_by_value() -> None:
    assert edited(("incentives = { wrong_bps = 10, spare_reasoned = true }", "")) == (
        "claim.procedure.0.incentives.wrong_bps: 10 → none",
        "claim.procedure.0.incentives.spare_reasoned: true → none",
    )


def test_stage_is_put_before_others() -> None:
    pause = Cooldown(stage="cooldown", length=HOUR)
    assert changes(judged(BALLOT, COOLDOWN), judged(BALLOT, pause, COOLDOWN)) == (
        'claim.procedure.1.stage: none → "cooldown"',
        'claim.procedure.1.length: none → "1h"',
    )


def test_stage_is_taken_out() -> None:
    assert changes(judged(BALLOT, COOLDOWN), judged(BALLOT)) == (
        'claim.procedure.1.stage: "cooldown" → none',
        'claim.procedure.1.length: "1d" → none',
    )


def test_stage_is_taken_out__one_of_two_alike() -> None:
    assert len(changes(judged(BALLOT, COOLDOWN, COOLDOWN), judged(BALLOT, COOLDOWN))) == 2


def test_stage_becomes_another() -> None:
    assert isinstance(BALLOT, Ballot)
    found = changes(judged(BALLOT, COOLDOWN), judged(BALLOT, BALLOT))
    assert found[:2] == ('claim.procedure.1.stage: "cooldown" → "ballot"', 'claim.procedure.1.length: "1d" → none')
    assert 'claim.procedure.1.window: none → "3d"' in found


def test_weights_are_named_by_producer() -> None:
    assert changes(weighing(a=1, b=2), weighing(b=3, c=1)) == (
        "incident.procedure.0.weights.a: 1 → none",
        "incident.procedure.0.weights.b: 2 → 3",
        "incident.procedure.0.weights.c: none → 1",
    )


def test_lines_are_bounded() -> None:
    many = {f"bot-{number:04}": 1 for number in range(1000)}
    found = changes(HOUSE, weighing(**many))
    assert len(found) == LINES_MAX + 1
    assert found[0] == "incident.procedure.0.weights.bot-0000: none → 1"
    assert found[-1] == "… and 900 more"


def test_lines_are_bounded__exactly_as_many() -> None:
    found = changes(HOUSE, weighing(**{f"bot-{number:04}": 1 for number in range(LINES_MAX)}))
    assert len(found) == LINES_MAX
    assert found[-1].startswith("incident")


def test_values_are_shortened() -> None:
    (line,) = changes(version(1, title="x" * 4000), version(2, title="y" * 4000))
    assert line == f'title: "{"x" * 79}… → "{"y" * 79}…'


def test_publication_names_changes_to_the_version_before() -> None:
    scope = ScopeSpecification().root(publish(1), publish(2, title="Second"), publish(3, title="Third"))
    (event,) = scope.events
    assert isinstance(event, RulebookPublished)
    assert event.changes == ('title: "Second" → "Third"',)


def test_publication_names_changes__first_version_has_none() -> None:
    (event,) = ScopeSpecification().root(publish(1), publish(1, "other", title="Other")).events
    assert isinstance(event, RulebookPublished)
    assert event.changes == ()
