"""What keeps content from being valid is said in the words of the content, whatever is wrong with it."""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from schemas.claims import FileClaim
from schemas.envelope import Message
from schemas.governance import PublishRulebook, RegisterPrincipal
from schemas.ids import Name
from schemas.problems import JSON, TOML, Problem, problems, shown, spelled
from tools.schemas import catalogue
from tools.schemas.samples import samples

_MODELS = catalogue.messages()
_PYDANTIC = re.compile(r"[Ii]nput|required|should|[Vv]alid|model|pattern|matches|\[|\{|Value error")
"""What its own texts are known by, and what is code rather than words."""
Place = tuple[str | int, ...]
_WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    1.5,
    "",
    "A b",
    "x" * 5000,
    [],
    [{}],
    {},
    {"a": 1},
    10**30,
    "9999-99-99T00:00:00Z",
    "-1",
)


def found(model: type[Message], content: object, words: dict[str, str] = JSON) -> list[Problem]:
    """List what is wrong with content; nothing where it is valid."""
    try:
        model.model_validate_json(json.dumps(content))
    except ValidationError as error:
        return list(problems(error, model, words))
    return []


def broken(content: Any, path: Place = ()) -> Iterator[tuple[Place, Any]]:  # noqa: ANN401 - JSON
    """Break content at every place and in every way, one at a time: the place, and the whole."""
    for wrong in _WRONG:
        yield path, wrong
    if isinstance(content, dict):
        yield (*path, "colour"), {**content, "colour": "red"}
        for name, held in content.items():
            yield (*path, name), {other: content[other] for other in content if other != name}
            yield from ((place, {**content, name: whole}) for place, whole in broken(held, (*path, name)))
    elif isinstance(content, list):
        for number, held in enumerate(content[:2]):
            for place, whole in broken(held, (*path, number)):
                yield place, [*content[:number], whole, *content[number + 1 :]]


@pytest.mark.parametrize("wire", _MODELS)
def test_every_problem_has_its_place_and_what_would_be_accepted__in_words(wire: str) -> None:
    model = _MODELS[wire]
    checked = 0
    for sample in samples(model, written=catalogue.is_written(model)):
        for place, content in broken(json.loads(sample)):
            spelled = ".".join(map(str, place))
            for problem in found(model, content):
                checked += 1
                assert problem.accepted, (place, content)
                if not problem.accepted.startswith("must be one of "):  # names of fields, which may be any words
                    assert not _PYDANTIC.search(problem.accepted), (place, problem)
                # A rule over several parts may speak of others than the one that was broken.
                if problem.value:
                    assert _is_within(problem.path, spelled) or _is_within(spelled, problem.path), (place, problem)
    assert checked


def _is_within(path: str, other: str) -> bool:
    return not other or path == other or path.startswith(f"{other}.")


_CLAIM = {
    "cover": "C-17",
    "claimant": f"eip155:1:0x{1:040x}",
    "incident": "vault/1",
    "amount_minor": "100",
    "evidence": [],
}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"cover": None}, "cover: null: must be a string"),
        ({"amount": "100"}, "amount: unknown: must be one of cover, claimant, incident, amount_minor, evidence"),
        (
            {"claimant": "alice"},
            'claimant: "alice": must be an account of CAIP-10, such as eip155:1:0x00000000000000000000000000000000',
        ),
        ({"incident": "vault"}, 'incident: "vault": must be a name, a slash and a number from 1, such as vault/1'),
        ({"evidence": {}}, "evidence: {}: must be an array"),
        ({"evidence": [7]}, "evidence.0: 7: must be an object"),
    ],
)
def test_a_problem_of_a_message_in_a_line(change: dict[str, Any], problem: str) -> None:
    said = [str(one) for one in found(FileClaim, {**_CLAIM, **change})]
    assert len(said) == 1
    assert said[0].startswith(problem)


def test_a_file_calls_its_parts_by_other_names() -> None:
    assert [str(one) for one in found(FileClaim, {**_CLAIM, "evidence": [7], "cover": 1}, TOML)] == [
        "cover: 1: must be a text",
        "evidence.0: 7: must be a table",
    ]


def test_which_kind_of_value_was_tried_is_no_part_of_the_path() -> None:
    content = {"principal": "p", "public_key": "ab", "streams": ["claim.filings"], "accounts": "?"}
    assert [str(one) for one in found(RegisterPrincipal, content)] == [
        'public_key: "ab": must be 64 hexadecimal digits in lower case',
        'accounts: "?": must be an array',
        'accounts: "?": must be "*", or a list of accounts',
    ]


def test_rules_over_several_parts_begin_with_where_they_are_broken() -> None:
    (sample, *_) = samples(PublishRulebook, written=False)
    content = json.loads(sample)
    content["rulebook"]["claim"]["procedure"] = [{"stage": "cooldown", "length": "1d"}]
    (said,) = found(PublishRulebook, content)
    assert said.path == "rulebook.claim.procedure"
    assert said.accepted.startswith("begins with a cooldown")
    content["rulebook"]["claim"]["procedure"] = [{"stage": "dance"}]
    (said,) = found(PublishRulebook, content)
    assert str(said) == ('rulebook.claim.procedure.0.stage: "dance": must be one of ballot, cooldown, corroboration')


def test_a_list_is_called_short_when_it_is__not_when_its_entries_are_wrong() -> None:
    class Pair(Message):
        names: Annotated[tuple[Name, ...], Field(min_length=2)]

    assert [str(one) for one in found(Pair, {"names": ["a"]})] == ['names: ["a"]: must have 2 or more entries']
    assert [one.path for one in found(Pair, {"names": ["a", "?"]})] == ["names.1"]


def test_a_pattern_has_one_wording() -> None:
    spelled("^[0-9a-f]{64}$", "64 hexadecimal digits in lower case")
    with pytest.raises(AssertionError):
        spelled("^[0-9a-f]{64}$", "a key")


def test_a_long_value_is_cut() -> None:
    assert shown("x" * 100, 10) == f'"{"x" * 9}…'
    assert shown({"é": 1}) == '{"é": 1}'
