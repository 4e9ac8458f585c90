"""Rulebook files: what ships, and what somebody is told whose file is wrong."""

import pytest

from schemas.instants import DAY
from schemas.rulebook import Ballot, Cooldown, Corroboration, HaltRules, Incentives, Rulebook, Settlement
from services.governance.rulebooks import RulebookError, parse_rulebook, read_shipped, shipped

HOUSE = read_shipped("house")
HOUR = DAY // 24
NAME_RULE = "must be 1 to 64 letters, digits, dots, underscores and hyphens, beginning with a letter or digit"


def problems(old: str, new: str) -> tuple[str, ...]:
    """Put a mistake into the house rulebook, where `old` stands first, and read it."""
    assert old in HOUSE
    with pytest.raises(RulebookError) as caught:
        parse_rulebook(HOUSE.replace(old, new, 1))
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


@pytest.mark.parametrize("name", shipped())
def test_what_ships_can_be_read(name: str) -> None:
    rulebook = parse_rulebook(read_shipped(name))
    assert rulebook.id == f"{name}@1"
    assert Rulebook.model_validate_json(rulebook.to_bytes()) == rulebook


def test_house_ships() -> None:
    assert "house" in shipped()


def test_nothing_else_ships() -> None:
    with pytest.raises(RulebookError, match="cottage: no rulebook of that name ships: must be one of house"):
        read_shipped("cottage")


def test_house_is_what_the_survey_recommends() -> None:
    house = parse_rulebook(HOUSE)
    (corroboration,) = house.incident.procedure
    assert isinstance(corroboration, Corroboration)
    assert (corroboration.required_weight, corroboration.default_weight) == (3, 1)
    assert (corroboration.window, corroboration.unmet) == (2 * HOUR, "deny")
    ballot, cooldown = house.claim.procedure
    assert isinstance(ballot, Ballot)
    assert (ballot.window, ballot.weight.at, ballot.weight.cap_bps) == (72 * HOUR, "opening", 500)
    assert not ballot.quorum.met(10, 100)
    assert ballot.quorum.met(11, 100)
    assert not ballot.agreement.met(50, 100)
    assert ballot.agreement.met(51, 100)
    assert (ballot.tie, ballot.empty, ballot.unresolved) == ("draw", "draw", "draw")
    assert isinstance(cooldown, Cooldown)
    assert cooldown.length == 24 * HOUR
    assert (house.claim.intake.waiting_period, house.claim.intake.grace) == (72 * HOUR, 35 * DAY)
    assert house.incident.alarm == 72 * HOUR
    assert ballot.excluded == ("claimant", "holders", "providers", "interested")
    assert ballot.provider_share_bps == 100
    assert ballot.incentives == Incentives(wrong_bps=10, spare_reasoned=True)
    assert house.claim.settlement == Settlement(cut_off=14 * DAY)
    assert house.halt == HaltRules(
        group="guardians", persons=2, length_max=24 * HOUR, notice=10_000, confirm_within=HOUR
    )


def test_number_too_large() -> None:
    assert problems("share_bps = 1000", "share_bps = 20000") == (
        "claim.procedure.0.quorum.share_bps: 20000: must be at most 10000",
    )


def test_number_too_small() -> None:
    assert problems("evidence_max = 16", "evidence_max = -1") == ("claim.intake.evidence_max: -1: must be at least 0",)


@pytest.mark.parametrize(("value", "shown"), [("1.5", "1.5"), ('"1"', '"1"'), ("true", "true")])
def test_not_a_whole_number(value: str, shown: str) -> None:
    expected = f"claim.intake.evidence_max: {shown}: must be a whole number"
    assert problems("evidence_max = 16", f"evidence_max = {value}") == (expected,)


@pytest.mark.parametrize(
    ("value", "shown"), [("72", "72"), ('"three days"', '"three days"'), ("2026-03-01", '"2026-03-01"')]
)
def test_not_a_span(value: str, shown: str) -> None:
    expected = f"claim.procedure.1.length: {shown}: must be a span such as 3d, 1d12h, 90m or 45s, at most 36500d"
    assert problems('length = "24h"', f"length = {value}") == (expected,)


def test_not_one_of_the_words() -> None:
    assert problems('tie = "draw"', 'tie = "refuse"') == (
        "claim.procedure.0.tie: \"refuse\": must be 'accept', 'deny' or 'draw'",
    )


def test_not_true_or_false() -> None:
    assert problems("clause_required = true", "clause_required = 1") == (
        "claim.procedure.0.clause_required: 1: must be true or false",
    )


def test_not_a_list() -> None:
    excluded = 'excluded = ["claimant", "holders", "providers", "interested"]'
    assert problems(excluded, 'excluded = "claimant"') == ('claim.procedure.0.excluded: "claimant": must be a list',)


def test_not_a_table() -> None:
    assert problems("default_weight = 1", "weights = 7") == ("incident.procedure.0.weights: 7: must be a table",)
    assert problems("early_close = {", "early_close = 7 # {") == ("claim.procedure.0.early_close: 7: must be a table",)


def test_not_a_name() -> None:
    assert problems('name = "house"', 'name = "our house"') == (f'name: "our house": {NAME_RULE}',)
    assert problems("default_weight = 1", 'weights = { "our bot" = 3 }') == (
        f'incident.procedure.0.weights.our bot: "our bot": {NAME_RULE}',
    )


def test_long_values_are_shortened() -> None:
    (problem,) = problems('title = "', f'title = "{"x" * 5000}')
    assert problem == f'title: "{"x" * 59}…: must have at most 4000 characters'


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'alarm = "72h"',
            "alarm = 72",
            "incident.alarm: 72: must be a span such as 3d, 1d12h, 90m or 45s, at most 36500d",
        ),
        (
            '"holders"',
            '"holder"',
            "claim.procedure.0.excluded.1: \"holder\": must be 'claimant', 'holders', 'providers' or 'interested'",
        ),
        (
            "share_bps = 100\n",
            "share_bps = 10001\n",
            "claim.procedure.0.provider_share_bps: 10001: must be at most 10000",
        ),
        ("wrong_bps = 10,", "wrong_bps = -1,", "claim.procedure.0.incentives.wrong_bps: -1: must be at least 0"),
        ("wrong_bps = 10,", "", "claim.procedure.0.incentives.wrong_bps: missing: must be given"),
        ("incentives = {", "incentives = 7 # {", "claim.procedure.0.incentives: 7: must be a table"),
        ('cut_off = "14d"', "", "claim.settlement.cut_off: missing: must be given"),
        ('cut_off = "14d"', 'cut_of = "14d"', "claim.settlement.cut_of: unknown: must be one of cut_off"),
        ("persons = 2", "persons = 0", "halt.persons: 0: must be at least 1"),
        ("persons = 2", "persons = 11", "halt.persons: 11: must be at most 10"),
        ('group = "guardians"', 'group = "the guardians"', f'halt.group: "the guardians": {NAME_RULE}'),
        ('group = "guardians"', "", "halt.group: missing: must be given"),
        (
            'length_max = "24h"',
            'length_max = "0s"',
            "halt.length_max: 0s: must be at least 1s; without [halt] nobody halts",
        ),
        (
            'confirm_within = "1h"',
            'confirm_within = "0s"',
            "halt.confirm_within: 0s: must be at least 1s, or nobody could ask after the first",
        ),
    ],
)
def test_new_parts_name_their_place(old: str, new: str, expected: str) -> None:
    assert expected in problems(old, new)


def test_alarm_weighs_reports__procedure_without_corroboration() -> None:
    start, end = HOUSE.index("[[incident.procedure]]"), HOUSE.index("[claim.intake]")
    pause = HOUSE[HOUSE.index("# Then a day") : HOUSE.index("[claim.settlement]")]
    assert problems(HOUSE[start:end], pause.replace("claim.procedure", "incident.procedure")) == (
        "incident.procedure: begins with a cooldown; begin with a stage that decides",
        "incident.alarm: a report is credible by its weight in a corroboration; add that stage, or leave it out",
    )


def test_house_can_do_without_its_new_parts() -> None:
    start, end = HOUSE.index("[claim.settlement]"), HOUSE.index("[claim.payout]")
    house = parse_rulebook(HOUSE[:start] + HOUSE[end : HOUSE.index("[halt]")])
    assert (house.claim.settlement, house.halt) == (None, None)


def test_every_problem_is_listed__misspelled_name() -> None:
    names = "waiting_period, grace, not_before, expiry_inclusive, grace_inclusive, evidence_max"
    assert problems("waiting_period", "waitng_period") == (
        "claim.intake.waiting_period: missing: must be given",
        f"claim.intake.waitng_period: unknown: must be one of {names}",
    )


def test_unknown_name__in_a_stage_and_in_an_optional_table() -> None:
    assert problems("cap_bps", "cap_pbs") == (
        "claim.procedure.0.weight.cap_pbs: unknown: must be one of kind, at, cap_bps",
    )
    assert problems('after = "12h"', 'after = "12h", before = "24h"') == (
        "claim.procedure.0.early_close.before: unknown: must be one of when, after",
    )


@pytest.mark.parametrize(("line", "found"), [('stage = "balot"', '"balot"'), ("", "missing"), ("stage = 3", '"3"')])
def test_stage_is_known__refused(line: str, found: str) -> None:
    expected = f"claim.procedure.0.stage: {found}: must be one of ballot, cooldown, corroboration"
    assert problems('stage = "ballot"', line) == (expected,)


def test_procedure_has_a_stage__refused() -> None:
    short = HOUSE[: HOUSE.index("[[claim.procedure]]")] + HOUSE[HOUSE.index("[claim.payout]") :]
    with pytest.raises(RulebookError) as caught:
        parse_rulebook(short.replace("[claim.intake]", "[claim]\nprocedure = []\n[claim.intake]"))
    assert caught.value.problems == ("claim.procedure: []: must have 1 or more entries",)


def test_stage_is_a_table__refused() -> None:
    start, end = HOUSE.index("[[incident.procedure]]"), HOUSE.index("[claim.intake]")
    assert problems(HOUSE[start:end], "procedure = [3]\n") == ("incident.procedure.0: 3: must be a table",)


def test_rules_over_several_parts_name_their_place() -> None:
    start, end = HOUSE.index("[[claim.procedure]]"), HOUSE.index("# Then a day")
    assert problems(HOUSE[start:end], "") == (
        "claim.procedure: begins with a cooldown; begin with a stage that decides",
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("name = 'x'\nversion 1\n", "line 2, column 9: "),
        ("name = 'x'\nversion = ", "line 2, column 11: "),
        ('name = "x', "line 1, column 10: "),
        ("name = 'x'\nstages = [", "line 2, column 11: "),
    ],
)
def test_syntax_error_says_where(text: str, place: str) -> None:
    with pytest.raises(RulebookError) as caught:
        parse_rulebook(text)
    (problem,) = caught.value.problems
    assert problem.startswith(place)
    assert len(problem) > len(place)
    assert "(at " not in problem
