"""What a change of a schema breaks: for senders, for readers, and for everything that is stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tools.schemas.models import Schema, resolved

_LOWER, _UPPER = ("minimum", "minLength", "minItems", "exclusiveMinimum"), ("maximum", "maxLength", "maxItems")
_EXACT = ("pattern", "format")


class _Words(NamedTuple):
    gone: str
    required: str
    value: str
    narrower: str


_NARROWED = _Words("field removed", "field made required", "no longer a value", "narrowed")
_WIDENED = _Words("field added", "field no longer always there", "a new value", "widened")


def breaks(old: Schema, new: Schema, *, written: bool) -> list[str]:
    """Say what a change breaks; nothing, when it is harmless.

    What outsiders write may only ever be accepted more widely. What services write never changes: it is stored for
    ever, so that every release must read it, and its readers are others' programs.
    """
    before, after = resolved(old), resolved(new)
    found = list(_narrower(before, after, "", _NARROWED))
    if written:
        found += _narrower(after, before, "", _WIDENED)
    return found


def _narrower(old: Schema, new: Schema, path: str, words: _Words) -> Iterator[str]:
    """Say where something that `old` accepts is not accepted by `new`."""
    if old == new:
        return
    had, has = _alternatives(old), _alternatives(new)
    if len(had) > 1 or len(has) > 1:
        for alternative in had:
            if not any(not list(_narrower(alternative, other, path, words)) for other in has):
                near = [other for other in has if _kind(other) == _kind(alternative)]
                yield from (
                    _narrower(alternative, near[0], path, words)
                    if len(near) == 1
                    else (_say(path, f"{words.narrower}: {_spell(alternative)} is not taken"),)
                )
    else:
        yield from _plain(old, new, path, words)
    if "default" in old and words is _NARROWED and old["default"] != new.get("default", old["default"]):
        yield _say(path, f"default changed from {old['default']!r} to {new['default']!r}")


def _plain(old: Schema, new: Schema, path: str, words: _Words) -> Iterator[str]:
    if old.get("type") != new.get("type"):
        yield _say(path, f"{words.narrower}: from {old.get('type', 'anything')} to {new.get('type', 'anything')}")
        return
    had, has = _values(old), _values(new)
    if has is not None:
        missing = ["anything else"] if had is None else [repr(value) for value in had if value not in has]
        yield from (_say(path, f"{words.value}: {value}") for value in missing)
    for name in _EXACT:
        if new.get(name) not in (None, old.get(name)):
            yield _say(path, f"{words.narrower}: {name} from {old.get(name, 'none')} to {new[name]}")
    for name in (*_LOWER, *_UPPER):
        sign = 1 if name in _LOWER else -1
        if name in new and (name not in old or sign * new[name] > sign * old[name]):
            yield _say(path, f"{words.narrower}: {name} from {old.get(name, 'none')} to {new[name]}")
    if "items" in new:
        yield from _narrower(old.get("items", {}), new["items"], f"{path}[]", words)
    if new.get("type") == "object":
        yield from _fields(old, new, path, words)


def _fields(old: Schema, new: Schema, path: str, words: _Words) -> Iterator[str]:
    had, has = old.get("properties", {}), new.get("properties", {})
    for name, schema in had.items():
        where = f"{path}.{name}" if path else name
        if name in has:
            yield from _narrower(schema, has[name], where, words)
        elif new.get("additionalProperties") is False:
            yield _say(where, words.gone)
    for name in new.get("required", ()):
        if name not in old.get("required", ()):
            # A field that was not there at all and is required is two findings in one: the second says enough.
            yield _say(f"{path}.{name}" if path else name, words.required)
    for kind in ("patternProperties", "additionalProperties"):
        yield from _entries(old.get(kind), new.get(kind), path, words)


def _entries(old: Any, new: Any, path: str, words: _Words) -> Iterator[str]:  # noqa: ANN401 - a schema, a map, or a flag
    if old == new or not isinstance(old, dict):
        return
    if not isinstance(new, dict) or old.keys() != new.keys():
        yield _say(f"{path}{{}}", f"{words.narrower}: other keys")
        return
    if all(isinstance(value, dict) for value in old.values()):
        for key, schema in old.items():
            yield from _narrower(schema, new[key], f"{path}{{}}", words)
    else:
        yield from _narrower(old, new, f"{path}{{}}", words)


def _alternatives(schema: Schema) -> list[Schema]:
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return list(schema[key])
    return [schema]


def _values(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def _kind(schema: Schema) -> tuple[Any, ...]:
    """Return by what an alternative is known again: its type, and for an object the fields with one value."""
    fixed = sorted((name, node["const"]) for name, node in schema.get("properties", {}).items() if "const" in node)
    return (schema.get("type"), *fixed)


def _spell(schema: Schema) -> str:
    if "properties" in schema:
        return f"object of {', '.join(schema['properties'])}"
    return ", ".join(f"{key} {value}" for key, value in schema.items() if key != "default")


def _say(path: str, what: str) -> str:
    return f"{path}: {what}" if path else what
