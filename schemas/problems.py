"""What keeps content from being valid, in words for whoever wrote it: the path, the value, and what would be accepted.

Pydantic's own texts speak of inputs, models and patterns; these speak of the content. A problem is the same in a
refusal, in what `rulebook lint` prints and in what `simulate` says of a file.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import BaseModel, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

VALUE_MAX = 60
"""How much of a value is shown, in characters."""

JSON = {"table": "an object", "list": "an array", "text": "a string"}
TOML = {"table": "a table", "list": "a list", "text": "a text"}
"""What a kind of file calls its parts."""

_ACCEPTED: Mapping[str, str] = {
    "bool_type": "must be true or false",
    "dict_type": "must be {table}",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_type": "must be a whole number",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be {list}",
    "literal_error": "must be {expected}",
    "model_attributes_type": "must be {table}",
    "model_type": "must be {table}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have {min_length} or more characters",
    "string_type": "must be {text}",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have {min_length} or more entries",
    "tuple_type": "must be {list}",
}
"""What would be accepted, by pydantic's type of error; a type that is not listed speaks for itself."""

_SPELLED: dict[str, str] = {}
"""The words of every pattern that was told by some."""

_Location = Sequence[str | int]
_Node = Mapping[str, Any]


class Problem(NamedTuple):
    """One problem: where, in dots and empty for the whole; what stands there; what would be accepted."""

    path: str
    value: str
    accepted: str

    def __str__(self) -> str:
        return ": ".join(part for part in self if part)


def spelled(pattern: str, words: str) -> StringConstraints:
    """Constrain a text to a pattern that these words tell: `must be <words>`. A pattern has one wording."""
    assert _SPELLED.setdefault(pattern, words) == words, pattern
    return StringConstraints(pattern=pattern)


def problems(
    error: ValidationError, model: type[BaseModel], words: Mapping[str, str] = JSON, *, at_most: int = VALUE_MAX
) -> Iterator[Problem]:
    """Tell what keeps content from being of a model, one after the other: there may be as many as it has parts.

    Args:
        error: What validation raised.
        model: What the content should be.
        words: What the kind of file calls its parts.
        at_most: How much of a value is shown, in characters.
    """
    for details in error.errors(include_url=False):
        # A list is also called short when it is long enough and its entries are wrong.
        if details["type"] != "too_short" or len(details["input"]) < details["ctx"]["min_length"]:
            yield from _problems(details, model, words, at_most)


def syntax_problem(error: ValueError, text: str) -> str:
    """Say where a text stops being TOML: `line 3, column 7: what was expected`."""
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL)
    if found is None:
        return str(error)
    line, column = found[2] or text.count("\n") + 1, found[3] or len(text) - text.rfind("\n")
    return f"line {line}, column {column}: {found[1]}"


def shown(value: object, at_most: int = VALUE_MAX) -> str:
    """Spell a value as JSON, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= at_most else f"{text[:at_most]}…"


def _problems(
    details: ErrorDetails, model: type[BaseModel], words: Mapping[str, str], at_most: int
) -> Iterator[Problem]:
    kind, location, context = details["type"], details["loc"], details.get("ctx", {})
    path = _path(model, location)
    match kind:
        case "missing":
            yield Problem(path, "missing", "must be given")
        case "extra_forbidden":
            yield Problem(path, "unknown", _one_of(_names_at(model, location[:-1])))
        case "union_tag_not_found":
            yield Problem(_within(path, _tag(context)), "missing", _one_of(_tags_at(model, location)))
        case "union_tag_invalid":
            tag = shown(context["tag"], at_most)
            yield Problem(_within(path, _tag(context)), tag, _one_of(_tags_at(model, location)))
        case "string_pattern_mismatch":
            accepted = _SPELLED.get(context["pattern"], f"text that matches {context['pattern']}")
            yield Problem(path, shown(details["input"], at_most), f"must be {accepted}")
        case "value_error":  # of rules over several parts: each line of the text begins with where that is
            for line in str(context["error"]).split("\n"):
                part, _, rule = line.partition(": ")
                yield Problem(_within(path, part), "", rule)
        case _:
            form = _ACCEPTED.get(kind)
            said = details["msg"] if form is None else form.format_map({**words, **context})
            yield Problem(path, shown(details["input"], at_most), said)


def _tag(context: Mapping[str, Any]) -> str:
    """Name the field that tells which kind of table it is; pydantic has it in quotes."""
    return str(context["discriminator"]).strip("'")


def _within(path: str, part: str) -> str:
    return ".".join(filter(None, (path, part)))


def _one_of(names: Sequence[str]) -> str:
    return f"must be one of {', '.join(names)}"


# --- where a problem is


def _path(model: type[BaseModel], location: _Location) -> str:
    """Spell where a problem is, in the names of the file."""
    return ".".join(str(part) for part, _ in _walk(model, location) if part is not None)


def _names_at(model: type[BaseModel], location: _Location) -> list[str]:
    """List what a table may contain."""
    return list(_node_at(model, location).get("properties", ()))


def _tags_at(model: type[BaseModel], location: _Location) -> list[str]:
    """List which kinds of tables may stand at a place."""
    return list(_node_at(model, location).get("discriminator", {}).get("mapping", ()))


def _node_at(model: type[BaseModel], location: _Location) -> _Node:
    root = _resolved(model, _schema(model))
    return [root, *(node for _, node in _walk(model, location))][-1]


def _walk(model: type[BaseModel], location: _Location) -> Iterator[tuple[str | int | None, _Node]]:
    """Follow a location through the model's JSON Schema: each part, and the schema of what is there.

    A part is None where pydantic put there which of several kinds of tables or values it tried, or that a name itself
    is wrong: no file has these.
    """
    node = _resolved(model, _schema(model))
    for part in location:
        properties = node.get("properties", {})
        kinds = [_resolved(model, kind) for kind in (*node.get("oneOf", ()), *node.get("anyOf", ()))]
        mapping = node.get("discriminator", {}).get("mapping", {})
        if isinstance(part, int):
            arrays = (kind["items"] for kind in (node, *kinds) if isinstance(kind.get("items"), Mapping))
            node = _resolved(model, next(arrays, {}))
            yield part, node
        elif part in properties:
            node = _resolved(model, properties[part])
            yield part, node
        elif part in mapping:
            node = _resolved(model, {"$ref": mapping[part]})
            yield None, node
        elif kinds:
            node = next((kind for kind in kinds if part in kind.get("properties", {})), node)
            yield None, node
        elif part == "[key]":
            yield None, {}
        else:
            held = node.get("additionalProperties")
            node = _resolved(model, held) if isinstance(held, Mapping) else {}
            yield part, node


def _resolved(model: type[BaseModel], node: _Node) -> _Node:
    """Follow a reference, also one that is optional."""
    kinds = [kind for kind in node.get("anyOf", ()) if kind.get("type") != "null"]
    if len(kinds) == 1:
        return _resolved(model, kinds[0])
    if "$ref" not in node:
        return node
    found: _Node = _schema(model)["$defs"][node["$ref"].rpartition("/")[2]]
    return found


@lru_cache(maxsize=64)
def _schema(model: type[BaseModel]) -> _Node:
    return model.model_json_schema()
