"""JSON Schema 2020-12 of a message as it is on the wire: amounts, instants and spans as they are spelled there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

from pydantic import TypeAdapter

from schemas import ids, instants, money, pools
from schemas.envelope import Message

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NOTES = ("title", "description", "default")
_MAPS = ("properties", "patternProperties", "$defs")
_WRITTEN_INSTANT = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$"

NAMED: Mapping[str, tuple[Any, str]] = {
    "Instant": (instants.Instant, "An instant, RFC 3339; services write UTC with three decimals."),
    "Duration": (instants.Duration, "A span of whole seconds: 3d, 1d12h, 90m, 45s; at most 36500d."),
    "AmountMinor": (money.AmountMinor, "An amount in base units of its asset, in decimal; at most 2^256 - 1."),
    "PositiveAmountMinor": (money.PositiveAmountMinor, "An amount above zero; at most 2^256 - 1."),
    "BoundedAmountMinor": (money.BoundedAmountMinor, "An amount below 2^128: stakes, capital, cover sold by a pool."),
    "PositiveBoundedAmountMinor": (money.PositiveBoundedAmountMinor, "An amount above zero and below 2^128."),
    "SignedMinor": (pools.SignedMinor, "An amount in base units with its sign: debit positive, credit negative."),
    "BasisPoints": (money.BasisPoints, "A share in 1/10,000."),
    "Name": (ids.Name, "1 to 64 letters, digits, dots, underscores and hyphens, a letter or digit first."),
    "PoolId": (ids.PoolId, "A name of at most 50 characters, so that the covers it sells have names too."),
    "AccountId": (ids.AccountId, "An account, CAIP-10; an EVM address in lower case."),
    "AssetId": (ids.AssetId, "An asset, CAIP-19."),
    "NumberedId": (ids.ClaimId, "A claim `<cover>/<n>` or an incident `<product>/<n>`."),
    "PayoutId": (ids.PayoutId, "`<claim>/<n>`, `pool:<pool>/<n>` or `stake:<account>/<n>`."),
    "CaseId": (ids.CaseId, "`incident/<incident>` or `claim/<claim>`."),
    "RulebookId": (ids.RulebookId, "`name@version`."),
    "Sha256": (ids.Sha256, "SHA-256, in hex."),
    "Text": (ids.Text, "1 to 4,000 characters."),
}
"""Types that many messages share, by the name they get in `$defs`."""


@cache
def schema_of(model: type[Message], *, written: bool) -> Schema:
    """Return what is accepted of a sender, or what services write: every field, instants as we spell them.

    It is drawn once; whoever changes it takes a copy.
    """
    drawn = model.model_json_schema(mode="serialization" if written else "validation")
    used: set[str] = set()
    schema = _tidy(drawn, written=written, used=used)
    schema.pop("title", None)
    schema["$defs"] = {name: _named(written=written)[name] for name in sorted(used)} | schema.pop("$defs", {})
    if not schema["$defs"]:
        del schema["$defs"]
    about = schema.pop("description", "")
    head = {"$schema": DIALECT, "$id": f"urn:adjudex:{model.wire}", "title": model.wire, "description": about}
    return head | schema


@lru_cache(maxsize=2)
def _named(*, written: bool) -> dict[str, Schema]:
    mode = "serialization" if written else "validation"
    found = {}
    for name, (annotation, about) in NAMED.items():
        schema = TypeAdapter(annotation).json_schema(mode=mode)  # type: ignore[arg-type]
        found[name] = {"description": about} | _spelled(schema, written=written)
    return found


@lru_cache(maxsize=2)
def _by_content(*, written: bool) -> dict[str, str]:
    return {_content(schema): name for name, schema in _named(written=written).items()}


def named_by(pattern: str) -> str:
    """Return the name of the type that has this pattern; raises StopIteration."""
    return next(name for name, schema in _named(written=True).items() if schema.get("pattern") == pattern)


def _content(schema: Schema) -> str:
    return repr(sorted((key, value) for key, value in schema.items() if key not in _NOTES))


def _spelled(schema: Schema, *, written: bool) -> Schema:
    if written and schema.get("format") == "date-time":
        return {**schema, "pattern": _WRITTEN_INSTANT}
    return schema


def _tidy(schema: Schema, *, written: bool, used: set[str], top: bool = True) -> Schema:
    """Drop what says nothing (titles made of field names, discriminators), close maps, name what is shared."""

    def inner(node: Schema) -> Schema:
        return _tidy(node, written=written, used=used, top=False)

    schema = _spelled(schema, written=written)
    name = _by_content(written=written).get(_content(schema))
    if name is not None and not top:
        used.add(name)
        kept = {
            key: schema[key]
            for key in ("default", "description")
            if key in schema and not (written and key == "default")
        }
        return {"$ref": f"#/$defs/{name}"} | kept
    tidied: Schema = {}
    for key, value in schema.items():
        if key in ("title", "discriminator"):
            continue
        if key in _MAPS:
            tidied[key] = {field: inner(node) for field, node in value.items()}
        elif key in ("items", "additionalProperties", "propertyNames") and isinstance(value, dict):
            tidied[key] = inner(value)
        elif key in ("anyOf", "oneOf", "allOf", "prefixItems"):
            tidied[key] = [inner(node) for node in value]
        elif key == "description":
            tidied[key] = _unwrapped(value)
        else:
            tidied[key] = value
    if written and "properties" in tidied:
        # What services write has every field, defaults included.
        tidied["required"] = list(tidied["properties"])
    if written:
        tidied.pop("default", None)
    if "patternProperties" in tidied:
        tidied.setdefault("additionalProperties", False)
    return tidied


def _unwrapped(text: str) -> str:
    """Join the lines of each paragraph of a docstring."""
    return "\n\n".join(re.sub(r"\s*\n\s*", " ", part) for part in text.split("\n\n"))


def walk(schema: Any, change: Callable[[Schema], Schema]) -> Any:  # noqa: ANN401 - any JSON value
    """Return a copy in which every object has gone through `change`, the innermost first."""
    if isinstance(schema, dict):
        return change({key: walk(value, change) for key, value in schema.items()})
    if isinstance(schema, list):
        return [walk(value, change) for value in schema]
    return schema


def resolved(schema: Schema) -> Schema:
    """Return the schema without references and without what validates nothing; defaults stay: they have a meaning."""
    definitions = schema.get("$defs", {})

    def whole(node: Any) -> Any:  # noqa: ANN401 - any JSON value
        if isinstance(node, list):
            return [whole(value) for value in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            rest = {key: value for key, value in node.items() if key != "$ref"}
            return whole({**definitions[node["$ref"].removeprefix("#/$defs/")], **rest})
        return {
            key: {field: whole(inner) for field, inner in value.items()} if key in _MAPS else whole(value)
            for key, value in node.items()
            if key not in ("$schema", "$id", "$defs", "title", "description", "deprecated")
        }

    found: Schema = whole(schema)
    return found
