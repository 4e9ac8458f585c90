"""`adjudex whois` and `adjudex explain`."""

from collections.abc import Iterable
from typing import Any

import orjson

from schemas.adjudication import AssessorRecused, CaseOpened
from schemas.claims import ClaimFiled
from schemas.ids import parent
from schemas.instants import format_instant
from schemas.pools import IncidentSettled, SettlementLines
from services.cli.console import FINE, Console, OperationRefusedError, printable, wrapped
from services.cli.data import DataDirectory
from services.cli.explain.history import History, Item, Named, accounts_of, read_history
from services.cli.explain.reasons import Step, reasons
from services.cli.explain.states import books, state_of
from services.cli.render import place
from services.cli.trace import Entry, Tracer, headers_of
from services.kernel.partitioner import partition_of
from services.kernel.verify import where_is

_LABEL = 8
_SHOWN = ("amount_minor", "choice", "outcome", "status", "reason", "attempt", "producer", "assessor", "retry_at")
"""Fields that say most, where an event has them."""
_WHOSE = ("incident", "case", "cover", "claim", "payout", "holder", "provider", "pool")
"""Fields that say whom it is about, of events that are told of something to which many things happen."""
_MANY = ("pool", "assessor", "product", "account")
"""Kinds of such things."""


async def whois(data: DataDirectory, what: str, console: Console) -> int:
    """Say of an id what it is, its state in a line, and where it stands."""
    history, entries, partitions = await _read(data, what)
    named = history.named(what)
    inputs = _inputs(entries, what)
    _refuse_nothing(named, inputs, data, what)
    for one in named:
        state = state_of(history, one)
        last = [item for item in _items(history, one) if one.key in ("", item.key)][-1:]
        said = [*wrapped(f"{one.kind:<10}", f"{one.id}"), *_row("state", state)]
        content: dict[str, Any] = {"kind": one.kind, "id": one.id, "state": state}
        if one.key:
            partition = partition_of(one.key, partitions)
            content |= {"key": one.key, "partition": partition}
            said += _row("where", f"{one.key}, partition {partition}")
        if last:
            content |= {"last_position": last[0].position, "last_at": format_instant(last[0].at)}
            said += _row("last", f"{last[0].event.wire} at {format_instant(last[0].at)}, {last[0].position}")
        console.put(content, *said)
    for entry in inputs:
        fate = entry.fate
        assert fate is not None
        headers, position = headers_of(entry.record), where_is(entry.record)
        state = fate.fate + (f" of {place(fate.of)}" if fate.of else "")
        content = {"kind": "input", "id": what, "state": state, "position": position, "type": headers.get("ce_type")}
        content |= {"log_position": fate.log_position}
        decided = f", in {fate.log_position}" if fate.log_position else ""
        said = [*wrapped(f"{'input':<10}", what), *_row("state", f"{state}{decided}")]
        console.put(content, *said, *_row("where", f"{headers.get('ce_type')}, {position}"))
    return FINE


async def explain(data: DataDirectory, what: str, console: Console) -> int:
    """Say why something is as it is: each event that led to it, with rule, inputs and result of each step."""
    history, entries, _ = await _read(data, what)
    named = history.named(what)
    inputs = _inputs(entries, what)
    _refuse_nothing(named, inputs, data, what)
    first = True
    for one in named:
        state = state_of(history, one)
        space = () if first else ("",)
        console.put(
            {"kind": one.kind, "id": one.id, "state": state}, *space, *wrapped("", f"{one.kind} {one.id}: {state}")
        )
        first = False
        for item in _items(history, one):
            _say(history, one, item, console)
        if one.kind == "pool":
            sums = books(history, one.id)
            lines = [line for account, amount in sums.items() for line in wrapped(f"    {account:<16}", str(amount))]
            console.put({"books": {name: str(amount) for name, amount in sums.items()}}, "", "books", *lines)
    for entry in inputs:
        _say_input(history, entry, what, console)
    return FINE


async def _read(data: DataDirectory, what: str) -> tuple[History, list[Entry], int]:
    async with data.reading() as (space, store):
        tracer = Tracer(space, store)
        return await read_history(tracer), await tracer.input(what), space.partitions


def _inputs(entries: Iterable[Entry], what: str) -> list[Entry]:
    return [entry for entry in entries if entry.fate is not None and headers_of(entry.record).get("ce_id") == what]


def _refuse_nothing(named: list[Named], inputs: list[Entry], data: DataDirectory, what: str) -> None:
    if not named and not inputs:
        raise OperationRefusedError(
            f"nothing in {data.path} is called {printable(what)}",
            "name a claim, cover, payout, case, incident, pool, product, assessor, rulebook, principal, group, account "
            "or input",
        )


def _row(label: str, text: str) -> list[str]:
    return wrapped(label, text, indent=4, width=_LABEL)


# --- what belongs to what


def _items(history: History, named: Named) -> list[Item]:
    """List the events that led to something being as it is, in the order of time."""
    match named.kind:
        case "claim":
            found = _claim(history, named.id)
        case "incident":
            found = [*history.about("incident", named.id), *history.on(f"case/incident/{named.id}")]
        case "case":
            found = history.on(named.key)
        case "payout":
            found = [*history.about("payout", named.id), *history.on(named.key)]
        case "cover":
            found = [*history.about("cover", named.id), *history.on(named.key)]
            found += [item for item in history.items if item.input_key == named.key]  # what was refused about it
        case "pool" | "assessor":
            found = [*history.on(named.key), *(item for item in history.items if item.input_key == named.key)]
        case "account":
            found = [item for item in history.items if named.id in accounts_of(item.event)]
        case "rulebook":
            found = [item for item in history.items if _publishes(item, named.id)]
        case kind:
            found = history.about(kind, named.id)
            found = [item for item in found if item.service == "governance"]
    wanted = {item.position for item in found}
    return [item for item in history.items if item.position in wanted]


def _publishes(item: Item, rulebook: str) -> bool:
    held = getattr(item.event, "rulebook", None)
    return rulebook in (held, getattr(held, "id", None)) and item.service == "governance"


def _claim(history: History, claim: str) -> list[Item]:
    """List what belongs to a claim: its own events, its case, what settled its incident, its payouts."""
    found = [*history.about("claim", claim), *history.on(f"case/claim/{claim}")]
    filed = next(item.event for item in found if isinstance(item.event, ClaimFiled))
    for item in history.about("incident", filed.incident):
        event = item.event
        lines = event.lines if isinstance(event, SettlementLines) else ()
        settles = isinstance(event, IncidentSettled) and (not event.claims or claim in event.claims)
        if settles or any(line.claim == claim for line in lines):
            found.append(item)
    return [*found, *(item for item in history.items if _pays(item, claim))]


def _pays(item: Item, claim: str) -> bool:
    payout = getattr(item.event, "payout", None)
    return isinstance(payout, str) and parent(payout) == claim


# --- saying


def _say(history: History, named: Named, item: Item, console: Console) -> None:
    steps = reasons(history, item)
    shown = _shown(named, item)
    content = {
        "at": format_instant(item.at),
        "type": item.event.wire,
        "position": item.position,
        "cause": item.cause if not item.input.startswith("deadline/") else item.input,
        "sender": item.sender,
        "event": orjson.Fragment(item.event.to_bytes()),
        "steps": [step._asdict() for step in steps],
    }
    head = f"{format_instant(item.at)}  {item.event.wire.partition('.v')[0]}  {item.position}"
    lines = ["", printable(head), *(_row("says", shown) if shown else ())]
    if item.input.startswith("deadline/"):
        lines += _row("because", item.input)
    elif item.sender and not item.sender.startswith("/"):
        lines += _row("because", f"input {item.cause} of {item.sender}")
    console.put(content, *lines, *(line for step in steps for line in _step(step)))


def _shown(named: Named, item: Item) -> str:
    """Spell the fields that say most."""
    event = item.event
    if isinstance(event, SettlementLines):
        line = next((held for held in event.lines if held.claim == named.id), None)
        return (
            "" if line is None else f"owed {line.owed_minor}, gets {line.amount_minor}, deferred {line.deferred_minor}"
        )
    if isinstance(event, (AssessorRecused, CaseOpened)):
        return ""
    content = orjson.loads(event.to_bytes())
    names = (*_WHOSE, *_SHOWN) if named.kind in _MANY else _SHOWN
    return ", ".join(f"{name} {content[name]}" for name in names if content.get(name) not in (None, "", named.id))


def _step(step: Step) -> list[str]:
    inputs = "; ".join(f"{name} {value}" for name, value in step.inputs.items())
    lines = _row("rule", step.rule)
    return [*lines, *(_row("inputs", inputs) if inputs else ()), *_row("result", step.result)]


def _say_input(history: History, entry: Entry, what: str, console: Console) -> None:
    """Say of an input what became of it and why, and what it caused in the service that decided it."""
    fate = entry.fate
    assert fate is not None
    headers, position = headers_of(entry.record), where_is(entry.record)
    state = fate.fate + (f" of {place(fate.of)}" if fate.of else "")
    head = f"input {what}: {state}"
    lines = [*wrapped("", head), *_row("type", str(headers.get("ce_type"))), *_row("where", position)]
    console.put(
        {"kind": "input", "id": what, "state": state, "type": headers.get("ce_type"), "position": position}, *lines
    )
    for item in history.items:
        if place(item.input) == position:
            _say(history, Named("input", what, item.key), item, console)
