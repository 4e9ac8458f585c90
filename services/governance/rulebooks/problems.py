"""What is wrong with a rulebook file, in words for somebody who writes wordings rather than programs."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.rulebook import Rulebook

Location = Sequence[str | int]

_SCHEMA = Rulebook.model_json_schema()
_SHOWN_MAX = 60
_TABLE = "must be a table"
_ACCEPTED: Mapping[str, str] = {
    "bool_type": "must be true or false",
    "dict_type": _TABLE,
    "greater_than_equal": "must be at least {ge}",
    "int_type": "must be a whole number",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "model_attributes_type": _TABLE,
    "model_type": _TABLE,
    "string_pattern_mismatch": (  # of all texts in a rulebook, only names have a pattern
        "must be 1 to 64 letters, digits, dots, underscores and hyphens, beginning with a letter or digit"
    ),
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} character",
    "string_type": "must be a text",
    "too_short": "must have at least {min_length} entry",
    "tuple_type": "must be a list",
}
"""What would be accepted, by pydantic's type of error; a type that is not listed speaks for itself."""


def syntax_problem(error: ValueError, text: str) -> str:
    """Say where a text stops being TOML: `line 3, column 7: what was expected`."""
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL)
    if found is None:
        return str(error)
    line, column = found[2] or text.count("\n") + 1, found[3] or len(text) - text.rfind("\n")
    return f"line {line}, column {column}: {found[1]}"


def content_problems(error: ValidationError, content: object) -> list[str]:
    """Say what keeps content from being a rulebook: `path: value: what would be accepted`, one line each."""
    every = error.errors(include_url=False)
    return [line for details in every if not _follows(details) for line in _problem(details, content).split("\n")]


def _follows(details: ErrorDetails) -> bool:
    """Tell whether a problem only follows from others: a list is also called short when its entries are wrong."""
    return details["type"] == "too_short" and bool(details["input"])


def _problem(details: ErrorDetails, content: object) -> str:
    kind, location, context = details["type"], details["loc"], details.get("ctx", {})
    path = _path(location, content)
    match kind:
        case "value_error":  # rules over several parts; each line of its text begins with their path
            return str(context["error"])
        case "missing":
            return f"{path}: missing: must be given"
        case "extra_forbidden":
            return f"{path}: unknown: must be one of {', '.join(_names_at(location[:-1]))}"
        case "union_tag_not_found":
            return f"{path}.stage: missing: must be one of {', '.join(_stages_at(location))}"
        case "union_tag_invalid":
            known = ", ".join(_stages_at(location))
            return f"{path}.stage: {_shown(context['tag'])}: must be one of {known}"
        case _:
            accepted = _ACCEPTED.get(kind, details["msg"]).format_map(context)
            return f"{path}: {_shown(details['input'])}: {accepted}"


def _path(location: Location, content: object) -> str:
    """Spell where a problem is, in the names of the file: without the stage pydantic puts after its position."""
    parts, here = [], content
    for part in location:
        table = here if isinstance(here, dict) else {}
        if part == "[key]" or (table.get("stage") == part and part not in table):
            continue
        parts.append(str(part))
        here = here[part] if isinstance(here, list) and isinstance(part, int) else table.get(part)
    return ".".join(parts)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"


def _names_at(location: Location) -> list[str]:
    """List what a table may contain."""
    return list(_node_at(location)["properties"])


def _stages_at(location: Location) -> list[str]:
    """List the stages a position of a procedure may have."""
    return list(_node_at(location)["discriminator"]["mapping"])


def _node_at(location: Location) -> Mapping[str, Any]:
    """Find the JSON Schema of a part of a rulebook."""
    node = _resolved(_SCHEMA)
    for part in location:
        stages = node.get("discriminator", {}).get("mapping", {})
        if part in stages:
            node = _resolved({"$ref": stages[part]})
        elif isinstance(part, int):
            node = _resolved(node["items"])
        else:
            node = _resolved(node["properties"][part])
    return node


def _resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference, also one that is optional."""
    for alternative in node.get("anyOf", (node,)):
        if "$ref" in alternative:
            definition: Mapping[str, Any] = _SCHEMA["$defs"][alternative["$ref"].rpartition("/")[2]]
            return definition
    return node
