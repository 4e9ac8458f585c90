"""`adjudex log show`: a readable timeline."""

from typing import Any

import orjson

from schemas.envelope import Message
from schemas.instants import format_instant
from schemas.outcomes import NextStep
from services.cli.console import FINE, Console, OperationRefusedError, printable, wrapped
from services.cli.data import DataDirectory
from services.cli.render import place, value_text
from services.cli.trace import Entry, Tracer, content_of, headers_of
from services.kernel.records import FactNoted, InputsPassed
from services.kernel.verify import where_is

_FIELD_MAX = 300


async def show(data: DataDirectory, what: str, console: Console) -> int:
    """Show the timeline of what a text names; returns the exit code."""
    async with data.reading() as (space, store):
        entries = await Tracer(space, store).find(what)
    if not entries:
        raise OperationRefusedError(
            f"nothing in {data.path} is called {printable(what)}",
            "name an aggregate (cover/c-1), an input's id, or a position (claims.events/0/12)",
        )
    for number, entry in enumerate(entries):
        console.put(_json(entry), *(("",) if number else ()), *_text(entry))
    return FINE


def _json(entry: Entry) -> dict[str, Any]:
    record, headers, content = entry.record, headers_of(entry.record), content_of(entry.record)
    step = _next(content)
    shown = {
        "kind": "event" if entry.fate is None else "input",
        "position": where_is(record),
        "at": headers.get("ce_time"),
        "appended_at": format_instant(record.timestamp),
        "key": None if record.key is None else record.key.decode(errors="replace"),
        "sequence": int(headers["ce_sequence"]) if "ce_sequence" in headers else None,
        "type": headers.get("ce_type"),
        "id": headers.get("ce_id"),
        "source": headers.get("ce_source"),
        "input": headers.get("ce_input"),
        "cause": headers.get("ce_causationid"),
        "begun_by": headers.get("ce_correlationid"),
        "sender": headers.get("ce_sender"),
        "content": value_text(record.value) if content is None else orjson.Fragment(content.to_bytes()),
        "next": None if step is None else orjson.Fragment(step.to_bytes()),
        "fate": None if entry.fate is None else entry.fate._asdict(),
    }
    return {name: held for name, held in shown.items() if held is not None}


def _text(entry: Entry) -> list[str]:
    record, headers, content = entry.record, headers_of(entry.record), content_of(entry.record)
    sequence = f"  #{headers['ce_sequence']}" if "ce_sequence" in headers else ""
    at = headers.get("ce_time") or format_instant(record.timestamp)
    rows = [("about", "(no key)" if record.key is None else record.key.decode(errors="replace"))]
    rows += _content(record.value, content)
    rows += _origin(entry, headers)
    step = _next(content)
    if step is not None:
        rows.append(("next", step.step + (f"; by {format_instant(step.due_at)}" if step.due_at is not None else "")))
    width = max(len(name) for name, _ in rows) + 2
    title = printable(f"{at}  {headers.get('ce_type', '(no type)')}{sequence}  {where_is(record)}")
    return [title, *(line for name, text in rows for line in wrapped(name, _short(text), indent=4, width=width))]


def _short(text: str) -> str:
    return text if len(text) <= _FIELD_MAX else f"{text[:_FIELD_MAX]}… ({len(text):,} characters; --json shows all)"


def _content(value: bytes | None, content: Message | None) -> list[tuple[str, str]]:
    """List the fields that say something; what comes next is told apart."""
    if content is None:
        return [("value", value_text(value))]
    if isinstance(content, InputsPassed):
        passed = [(held, of_topic.topic) for of_topic in content.ranges for held in of_topic.inputs]
        return [(held.fate, f"{topic} {held.offset}" + (f"  {held.id}" if held.id else "")) for held, topic in passed]
    noted = [("fact", content.fact_type)] if isinstance(content, FactNoted) else []
    spelled = content.fact_json.encode() if isinstance(content, FactNoted) else content.to_bytes()
    fields = orjson.loads(spelled).items()
    said = [(name, _spelled(held)) for name, held in fields if name != "next" and held not in (None, [], {}, "")]
    return noted + said


def _spelled(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Spell JSON for people: names and values, what belongs together in parentheses."""
    match value:
        case str():
            return value
        case dict():
            return ", ".join(f"{name} {_inner(held)}" for name, held in value.items())
        case list():
            return ", ".join(_inner(held) for held in value)
        case _:
            return orjson.dumps(value).decode()


def _inner(value: Any) -> str:  # noqa: ANN401 - any JSON
    return f"({_spelled(value)})" if isinstance(value, (dict, list)) else _spelled(value)


def _origin(entry: Entry, headers: dict[str, str]) -> list[tuple[str, str]]:
    """Say where it comes from, and what became of it."""
    if entry.fate is not None:
        fate = entry.fate
        earlier = f" of {place(fate.of)}" if fate.of else ""
        decided_in = f", in {fate.log_position}" if fate.log_position else ""
        origin = f"{headers.get('ce_source', '(no source)')}, id {headers.get('ce_id', '(none)')}"
        return [("from", origin), ("fate", f"{fate.fate}{earlier}{decided_in}")]
    cause = headers.get("ce_input")
    if cause is None:
        return []
    if cause.startswith("deadline/"):
        return [("cause", cause)]
    sender = f", sent by {headers['ce_sender']}" if "ce_sender" in headers else ""
    return [("cause", f"{place(cause)}, id {headers.get('ce_causationid')}{sender}")]


def _next(content: Message | None) -> NextStep | None:
    step = getattr(content, "next", None)
    return step if isinstance(step, NextStep) else None
