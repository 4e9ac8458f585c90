"""What keeps a file from being a scenario: the file, the path in it, the value, and what is accepted."""

import json
import tomllib
from pathlib import Path

import pytest

from services.cli.scenario.model import START, TYPES, PostStep, ScenarioError, read_scenario
from services.cli.scenario.schema import scenario_schema, scenario_schema_text
from tests.support.command import adjudex

GIVEN = """
[given]
bots = ["watch"]
pools = [{ pool = "harbor", capital = [{ provider = "paula", tranche = "senior", amount = 100_000 }] }]
products = [{ product = "vault", pool = "harbor" }]
covers = [{ holder = "alice", product = "vault", amount = 50_000 }]
"""

WITHDRAWAL = '[[timeline]]\nat = "+1h"\npost = "claim.withdraw.v1"\ncontent = {}\n'


def problems(tmp_path: Path, text: str) -> list[str]:
    """Simulate a file and return what is said to be wrong with it, without the file's name."""
    path = tmp_path / "s.toml"
    path.write_text(text)
    ended = adjudex("simulate", path, "--json")
    assert ended.returncode == 2, ended.stdout
    said = [json.loads(line)["error"] for line in ended.stderr.splitlines()]
    assert all(line.startswith(f"{path}: ") for line in said)
    return [line.removeprefix(f"{path}: ") for line in said]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title", "line 1, column 6: Expected '=' after a key in a key/value pair"),
        ('title = "t"\nwhat = 1', "what: unknown: must be one of title, about, start, rulebook, given, timeline"),
        ("about = 'x'", "title: missing: must be given"),
        ('title = "t"\nstart = "today"', 'start: "today": must be an RFC 3339 instant with an offset'),
        ('title = "t"\n[given]\nbots = ["a b"]', 'given.bots.0: "a b": must be 1 to 64 letters, digits, '),
        ('title = "t"\n[given]\nassessors = [{ name = "nina" }]', "given.assessors.0.stake: missing: must be given"),
        (
            'title = "t"\n[given]\nassessors = [{ name = "nina", stake = "lots" }]',
            'given.assessors.0.stake: "lots": must be whole base units, such as 150000 or 150_000',
        ),
        (
            'title = "t"\n[given]\nassessors = [{ name = "nina", stake = 1, weight = 2 }]',
            "given.assessors.0.weight: unknown: must be one of name, stake, linked, interests",
        ),
        (
            'title = "t"\n[[timeline]]\nat = "3d"\nevent = "claim.paid.v1"',
            'timeline.0.at: "3d": must be a span after the start, such as +0s, +3d1h or +90m',
        ),
        ('title = "t"\n[[timeline]]\nat = "+1d"', 'timeline.0: {"at": "+1d"}: must have one of post, get, event'),
        (
            'title = "t"\n[[timeline]]\nat = "+1d"\nget = "/v1/claims"\nanswers = {}',
            "timeline.0.answers: unknown: must be one of at, note, get, status, answer",
        ),
        (
            'title = "t"\n[[timeline]]\nat = "+1d"\npost = "claim.fill.v1"\ncontent = {}',
            'timeline.0.post: "claim.fill.v1": must be one of assessor.declare.v1, assessor.register.v1, ',
        ),
        (
            'title = "t"\n[[timeline]]\nat = "+1d"\npost = "claim.file.v1"',
            "timeline.0.content: missing: must be one of content, contents (a list of them), raw",
        ),
        (
            'title = "t"\n[[timeline]]\nat = "+1d"\npost = "incident.report.v1"\ncontent = {}',
            "timeline.0.as: missing: must be given, as an incident is reported by a bot of given.bots (none is given)",
        ),
        (
            'title = "t"\n[[timeline]]\nat = "+2d"\nget = "/v1/a"\n[[timeline]]\nat = "+1d"\nget = "/v1/a"',
            'timeline.1.at: "+1d": must be at least +2d, when the step before it happens',
        ),
        (
            'title = "t"\n[[timeline]]\nat = "+1d"\nevent = "claim.payed.v1"\ncount = 0',
            'timeline.0.event: "claim.payed.v1": must be the type of an event, such as claim.paid.v1, ',
        ),
        (
            'title = "t"\n[[timeline]]\nat = "+1d"\nevent = "claim.paid.v1"\ncontains = { amount = "1" }',
            "timeline.0.contains.amount: unknown: must be one of claim, payout, ",
        ),
        (
            'title = "t"\n[[timeline]]\nat = "+1d"\nevent = "claim.paid.v1"\non = "covers/harbor.1"\ncount = 0',
            'timeline.0.on: "covers/harbor.1": must be an aggregate, such as cover/harbor.1, of kind scope, ',
        ),
        (
            f'title = "t"\n{WITHDRAWAL}expect = {{ fate = "refuse" }}',
            'timeline.0.expect.fate: "refuse": must be one of decided, refused, set-aside, ',
        ),
        (
            f'title = "t"\n{WITHDRAWAL}expect = {{ reasons = "…" }}',
            "timeline.0.expect.reasons: unknown: must be one of input_id, position, ",
        ),
        (
            f'title = "t"\n{WITHDRAWAL}expect = {{ fate = "…", refusal = {{ rules = "…" }} }}',
            "timeline.0.expect.refusal.rules: unknown: must be one of rule, value, accepted, not_before, unknown",
        ),
        (
            f'title = "t"\n{WITHDRAWAL}expect = {{ events = ["claim.…", "claim.with.v1"] }}',
            'timeline.0.expect.events.1: "claim.with.v1": must be the type of an event, such as claim.withdrawn.v1, ',
        ),
        (
            'title = "t"\n[given]\nproducts = [{ product = "vault", pool = "harbour" }]',
            'given.products.0.pool: "harbour": must be one of given.pools (none is given)',
        ),
        (
            'title = "t"\n[given]\ncovers = [{ holder = "a", product = "vault", amount = 1 }]',
            'given.covers.0.product: "vault": must be one of given.products (none is given)',
        ),
        (
            'title = "t"' + GIVEN.replace("50_000 }", '50_000, age = "100d" }'),
            'given.covers.0.age: "100d": must be less than 100d, when the space is set up',
        ),
        (
            'title = "t"' + GIVEN.replace("50_000 }", '50_000, cover = "c" }'),
            'given.covers.0.cover: "c": must be left away: pool harbor names its covers',
        ),
    ],
)
def test_wrong_part__named_with_path_value_and_what_is_accepted(text: str, problem: str, tmp_path: Path) -> None:
    (said,) = problems(tmp_path, text)
    assert said.startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[rulebook]\nname = "none"', "rulebook.name: none: no rulebook of that name ships: must be one of "),
        ('[rulebook]\nfile = "none.toml"', 'rulebook.file: "none.toml": must be a file: '),
        (
            '[rulebook.changes]\nclaim.intake.grace = "soon"',
            'rulebook.changes.claim.intake.grace: "soon": must be a span such as 3d, 1d12h, 90m or 45s',
        ),
        (
            "[rulebook.changes]\nincident.procedure.0.required_weight = -1",
            "rulebook.changes.incident.procedure.0.required_weight: -1: must be at least 1",
        ),
        (
            "[rulebook.changes]\nincident.procedure.0.required_wait = 1",
            "rulebook.changes.incident.procedure.0.required_wait: unknown: must be one of stage, required_weight",
        ),
        (
            '[rulebook.changes]\nclaim.procedure.0.stage = "balot"',
            'rulebook.changes.claim.procedure.0.stage: "balot": must be one of ',
        ),
        (
            '[rulebook.changes]\nclaim.procedure.9.window = "1d"',
            "rulebook.changes.claim.procedure.9: unknown: must be a place from 0 to 1",
        ),
        (
            '[rulebook]\nwithout = ["claim.procedure.0.early"]',
            'rulebook.without: "claim.procedure.0.early": must be the path of something that is there',
        ),
    ],
)
def test_wrong_rulebook__named_with_path_value_and_what_is_accepted(text: str, problem: str, tmp_path: Path) -> None:
    said = problems(tmp_path, f'title = "t"\n{text}\n')
    assert said[0].startswith(problem)


def test_terms_and_names__named_too(tmp_path: Path) -> None:
    terms = GIVEN.replace('pool = "harbor", capital', 'pool = "harbor", terms = { capacity_bps = 0 }, capital')
    assert problems(tmp_path, f'title = "t"{terms}') == [
        "given.pools.0.terms.capacity_bps: 0: must be at least 1",
    ]
    step = '[[timeline]]\nat = "+1h"\npost = "claim.withdraw.v1"\ncontent = { claimant = "{alise}" }\n'
    (said,) = problems(tmp_path, f'title = "t"{GIVEN}{step}')
    assert said.startswith('timeline.0.content: "{alise}": must be a name of given (paula, alice), asset, or ')


def test_given_that_is_refused__named_with_what_is_accepted(tmp_path: Path) -> None:
    too_much = GIVEN.replace("50_000", "500_000")
    (said,) = problems(tmp_path, f'title = "t"{too_much}')
    assert said.startswith("given.covers.0: ")
    assert said.endswith("(cover.above-capacity)")
    assert "200000" in said


def test_every_problem__is_named(tmp_path: Path) -> None:
    text = 'title = "t"\nmore = 1\n[given]\nbots = [1]\n[[timeline]]\nat = "+1d"\nevent = "a"\ncount = -1\n'
    assert len(problems(tmp_path, text)) == 3


def test_file_that_is_not_there__is_wrong_usage(tmp_path: Path) -> None:
    ended = adjudex("simulate", tmp_path / "none.toml")
    assert ended.returncode == 2
    assert "there is no file" in ended.stderr


def test_dates_of_toml__are_instants(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('title = "t"\nstart = 2026-03-02T09:00:00Z\n')
    assert read_scenario(path).start == START
    path.write_text('title = "t"\nstart = 2026-03-02\n')
    with pytest.raises(ScenarioError, match='start: "2026-03-02": must be an RFC 3339 instant'):
        read_scenario(path)


def test_schema__names_every_type_and_every_field_that_files_use() -> None:
    schema = scenario_schema()
    assert json.loads(scenario_schema_text()) == schema
    definitions = schema["$defs"]
    assert definitions["PostStep"]["properties"]["post"]["enum"] == sorted(TYPES)
    assert "as" in definitions["PostStep"]["properties"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["start"]["default"] == "2026-03-02T09:00:00.000Z"
    assert definitions["CoverPart"]["properties"]["age"]["default"] == "60d"
    for path in (Path(__file__).parents[2] / "scenarios").glob("*.toml"):
        content = tomllib.loads(path.read_text())
        assert content.keys() <= schema["properties"].keys()
        for step in content["timeline"]:
            kind = "PostStep" if "post" in step else "GetStep" if "get" in step else "EventStep"
            assert step.keys() <= definitions[kind]["properties"].keys()


def test_principal__is_called_as_in_a_file() -> None:
    assert PostStep.model_fields["principal"].alias == "as"


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (
            "/v1/claim/harbor.1/1",
            '"/v1/claim/harbor.1/1": there is nothing at /v1/claim/harbor.1/1: must be /, /live, ',
        ),
        ("/v1/claims?colour=red", '"/v1/claims?colour=red": '),
        ("/v1/claims?limit=none", '"/v1/claims?limit=none": '),
    ],
)
def test_question_nobody_can_answer__makes_the_file_wrong(path: str, problem: str, tmp_path: Path) -> None:
    (said,) = problems(tmp_path, f'title = "t"\n[[timeline]]\nat = "+1h"\nget = "{path}"\n')
    assert said.startswith(f"timeline.0.get: {problem}")


def test_question_nobody_can_answer__may_be_what_is_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('title = "t"\n[[timeline]]\nat = "+1h"\nget = "/v1/nothing"\nstatus = 404\n')
    assert adjudex("simulate", path).returncode == 0
