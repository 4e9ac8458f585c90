"""What is wrong with a file's content, in words for somebody who writes scenarios rather than programs."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_SHOWN_MAX = 60
_TAGS = ("post", "get", "event")
_ACCEPTED = {
    "bool_type": "must be true or false",
    "dict_type": "must be a table",
    "greater_than_equal": "must be at least {ge}",
    "int_type": "must be a whole number",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "model_attributes_type": "must be a table",
    "model_type": "must be a table",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} character",
    "string_type": "must be a text",
    "tuple_type": "must be a list",
}


def content_problems(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Say what keeps content from being of a model: `path: value: what is accepted`, one line each."""
    return [_problem(details, model) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails, model: type[BaseModel]) -> str:
    kind, location = details["type"], details["loc"]
    path = _path(location)
    match kind:
        case "missing":
            return f"{path}: missing: must be given"
        case "extra_forbidden":
            return f"{path}: unknown: must be one of {', '.join(_names_at(model.model_json_schema(), location[:-1]))}"
        case _:
            accepted = _ACCEPTED.get(kind, details["msg"]).format_map(details.get("ctx", {}))
            return f"{path}: {shown(details['input'])}: {accepted}"


def _path(location: Sequence[str | int]) -> str:
    """Spell where a problem is; the kind of a step stands behind its number, and is not in the file."""
    parts: list[str] = []
    for number, part in enumerate(location):
        if not (part in _TAGS and number > 0 and isinstance(location[number - 1], int)):
            parts.append(str(part))
    return ".".join(parts)


def shown(value: object) -> str:
    """Spell a value, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"


def _names_at(schema: dict[str, Any], location: Sequence[str | int]) -> list[str]:
    """List what a table may contain."""

    def resolved(node: dict[str, Any]) -> dict[str, Any]:
        for alternative in (node, *node.get("anyOf", ())):
            if "$ref" in alternative:
                found: dict[str, Any] = schema["$defs"][alternative["$ref"].rpartition("/")[2]]
                return found
        return node

    node = resolved(schema)
    for part in location:
        if isinstance(part, int):
            node = resolved(node["items"])
        elif part in _TAGS and "oneOf" in node:
            node = next(held for held in map(resolved, node["oneOf"]) if part in held["properties"])
        else:
            node = resolved(node["properties"][part])
    return list(node.get("properties", ()))
