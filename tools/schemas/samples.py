"""Samples of messages, made of their schemas: always the same, valid, and such that a reader can make sense of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from schemas.envelope import Message
from tools.schemas.models import Schema, named_by, schema_of

ACCOUNT = "eip155:1:0x00000000000000000000000000000000000000a1"
ASSESSOR = "eip155:1:0x00000000000000000000000000000000000000b2"
ASSET = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
BY_TYPE: Mapping[str, Any] = {
    "Instant": "2026-03-01T12:00:00.000Z",
    "Duration": "1d12h",
    "AmountMinor": "115792089237316195423570985008687907853269984665640564039457584007913129639935",
    "PositiveAmountMinor": "1000000",
    "BoundedAmountMinor": "340282366920938463463374607431768211455",
    "PositiveBoundedAmountMinor": "1000000",
    "SignedMinor": "-1000000",
    "BasisPoints": 2500,
    "Name": "house",
    "PoolId": "blue",
    "AccountId": ACCOUNT,
    "AssetId": ASSET,
    "NumberedId": "C-17/1",
    "PayoutId": "C-17/1/1",
    "CaseId": "claim/C-17/1",
    "RulebookId": "house@1",
    "Sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "Text": "§ 4: “Grüße” – text",
}
"""By the name a type has in `$defs`."""
BY_FIELD: Mapping[str, Any] = {
    "product": "curve-lp",
    "incident": "curve-lp/1",
    "cover": "C-17",
    "assessor": ASSESSOR,
    "producer": "bot-1",
    "principal": "bot-1",
    "by": "root",
    "reference": "r-1",
    "group": "guardians",
    "position": "claim.filings@0123456789abcdef/0/17",
    "log_position": "claims.events/0/12",
    "of": "claim.filings@0123456789abcdef/0/9",
    "topic": "claim.filings",
    "incarnation": "0123456789abcdef",
    "transaction": "0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060",
    "media_type": "application/pdf",
    "public_key": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "key": "cover/C-17",
    "rule": "cover.expired",
    "fact_type": "group.set-to.v1",
    "fact_json": '{"group":"guardians","members":[],"next":null}',
    "result_minor": "1000000",
    "input_id": "filing-1",
    "excluded": ["claimant", "holders", "providers", "interested"],
}
"""By a field's name, where it takes it."""


def samples(model: type[Message], *, written: bool) -> list[str]:
    """Return two samples in JSON: with everything that may be there, and with nothing that need not."""
    schema = schema_of(model, written=written)
    return [_spelled(model, schema, partial(_value, bare=bare)) for bare in (False, True)]


def variants(model: type[Message]) -> Iterator[Message]:
    """Return samples of what services write, in which every choice of a field is taken once."""
    schema = schema_of(model, written=True)
    definitions = schema.get("$defs", {})
    full, bare = (_value(schema, "", definitions, bare=bare) for bare in (False, True))
    for base in (full, bare):
        yield _read(model, base)
        for name, node in schema.get("properties", {}).items():
            for choice in _choices(node, name, definitions):
                if choice != base[name]:
                    yield _read(model, {**base, name: choice})


def _read(model: type[Message], content: Any) -> Message:  # noqa: ANN401 - any JSON value
    return model.model_validate_json(json.dumps(content))


def _spelled(model: type[Message], schema: Schema, make: Any) -> str:  # noqa: ANN401 - a partial function
    return _read(model, make(schema, "", schema.get("$defs", {}))).to_bytes().decode()


def _choices(node: Schema, name: str, definitions: Mapping[str, Schema]) -> list[Any]:
    if "enum" in node:
        return list(node["enum"])
    if node.get("type") == "boolean":
        return [False, True]
    if "anyOf" in node:
        return [_value(alternative, name, definitions, bare=False) for alternative in node["anyOf"]]
    return []


def _value(node: Schema, path: str, definitions: Mapping[str, Schema], *, bare: bool) -> Any:  # noqa: ANN401, PLR0911
    """Make a value: one return for each kind of schema."""
    field = path.rpartition(".")[2]
    inner = partial(_value, definitions=definitions, bare=bare)
    if "$ref" in node:
        name = node["$ref"].removeprefix("#/$defs/")
        if field in BY_FIELD and name in ("Name", "NumberedId", "AccountId", "Text"):
            return BY_FIELD[field]
        return BY_TYPE[name] if name in BY_TYPE else inner(definitions[name], path)
    if "const" in node:
        return node["const"]
    if "enum" in node:
        return node["enum"][0]
    if "anyOf" in node:
        null = any(alternative.get("type") == "null" for alternative in node["anyOf"])
        return None if null and bare else inner(node["anyOf"][0], path)
    match node.get("type"):
        case "object":
            return _object(node, path, definitions, bare=bare)
        case "array":
            return _array(node, path, definitions, bare=bare)
        case "integer":
            return min(max(7, node.get("minimum", 0)), node.get("maximum", 7))
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return BY_FIELD.get(field, BY_TYPE["Text"])


def _object(node: Schema, path: str, definitions: Mapping[str, Schema], *, bare: bool) -> Any:  # noqa: ANN401
    inner = partial(_value, definitions=definitions, bare=bare)
    if "properties" in node:
        wanted = node.get("required", ()) if bare else node["properties"]
        return {name: inner(node["properties"][name], f"{path}.{name}") for name in wanted}
    if bare:
        return {}
    if "patternProperties" in node:
        [(pattern, entry)] = node["patternProperties"].items()
        key = BY_TYPE[named_by(pattern)]
        return {key: inner(entry, f"{path}.{key}")}
    return {"amount": inner(node["additionalProperties"], f"{path}.amount")}


def _array(node: Schema, path: str, definitions: Mapping[str, Schema], *, bare: bool) -> list[Any]:
    inner = partial(_value, definitions=definitions, bare=bare)
    items, field = node["items"], path.rpartition(".")[2]
    if isinstance(BY_FIELD.get(field), list):
        return list(BY_FIELD[field])
    if "oneOf" in items:
        # A claim has nobody whose reports could corroborate it.
        left_out = "Corroboration" if ".claim." in path else ""
        made = [inner(item, path) for item in items["oneOf"] if not item.get("$ref", "").endswith(f"/{left_out}")]
        return made[:1] if bare else made
    return [] if bare and not node.get("minItems") else [inner(items, path)]
