"""One AsyncAPI 3.1 document: every topic of a space, what travels in it, who writes it and who reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from schemas import topics
from schemas.envelope import Input, Message
from services.kernel.records import FactNoted, TopicStarted
from tools.schemas import catalogue
from tools.schemas.models import Schema, schema_of, walk
from tools.schemas.samples import samples

VERSION = "3.1.0"
RELAY, VIEWS = "relay", "views"
_ABOUT = """A space is one deployment of Adjudex on Apache Kafka: its topics begin with its name.

Outsiders write public inputs and read outcomes, payout instructions and logs. Every record is a CloudEvents 1.0 message
in binary mode: attributes are headers `ce_*`, the value is a JSON object, the key is the aggregate it is about. Logs
and inboxes are written in transactions: read them with `isolation.level=read_committed`. Pass over types you do not
know. docs/wire.md says the rest: partitioning, vouchers, digests and the chain."""
_KINDS = {
    "input": "A public stream: what outsiders say. Anybody with the right to write it may, and vouches for each input.",
    "owned": "A public stream that one known principal alone may write: its inputs need no voucher.",
    "inbox": "What siblings tell a service, and inputs that were forwarded because they stood in another partition.",
    "log": "The log of a service: every decision, in order, in a hash chain for each partition.",
    "output": "What the relay publishes for outsiders, without transactions and at least once.",
}
_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 512}
_INSTANT: Schema = {"type": "string", "format": "date-time"}
_HEX: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_UUID: Schema = {"type": "string", "format": "uuid"}
_BASE: Mapping[str, Schema] = {
    "ce_specversion": {"const": "1.0"},
    "ce_type": {**_TEXT, "description": "The wire name of the content."},
    "ce_id": {**_TEXT, "description": "Unique among records of one source about one aggregate."},
    "ce_source": {**_TEXT, "description": "Who says it; on public inputs a claim until proven."},
    "content-type": {"type": "string"},
}
_CAUSED: Mapping[str, Schema] = {
    "ce_causationid": {**_TEXT, "description": "Id of what caused it."},
    "ce_correlationid": {**_TEXT, "description": "Id of the public input that began it all."},
}
_PROOF: Schema = {"type": "string", "description": "A voucher: see docs/wire.md."}
_SENT: Mapping[str, Schema] = {**_BASE, **_CAUSED, "ce_since": {**_INSTANT, "description": "From when durations run."}}
_ALWAYS = ("ce_specversion", "ce_type", "ce_id", "ce_source")
_HEADERS: Mapping[str, tuple[str, Mapping[str, Schema], tuple[str, ...]]] = {
    "InputHeaders": (
        "Headers of a public input. No header stands twice.",
        {**_BASE, "ce_proof": _PROOF},
        _ALWAYS,
    ),
    "MessageHeaders": (
        "Headers of what a service tells another; the id is a uuid5, so that a repeat has the same.",
        _SENT,
        (*_ALWAYS, "ce_causationid", "ce_correlationid", "ce_since"),
    ),
    "OutputHeaders": (
        "Headers of what the relay publishes; the id is a uuid5, so that a repeat has the same.",
        {**_SENT, "ce_relayed": {"type": "string", "description": "How far the relay has read: its own business."}},
        (*_ALWAYS, "ce_causationid", "ce_correlationid", "ce_since"),
    ),
    "ForwardedHeaders": (
        "Headers of an input that its service forwarded to the partition its key belongs to: its own, and two more.",
        {
            **_BASE,
            "ce_proof": _PROOF,
            "ce_forwardedfrom": {**_TEXT, "description": "Position of the input where it was sent."},
            "ce_stream": {**_TEXT, "description": "The stream it was sent to."},
        },
        (*_ALWAYS, "ce_forwardedfrom", "ce_stream"),
    ),
    "LogHeaders": (
        "Headers of a log record.",
        {
            **_BASE,
            **_CAUSED,
            "ce_id": _UUID,
            "ce_sequence": {"type": "string", "pattern": "^[1-9][0-9]*$", "description": "Version of the aggregate."},
            "ce_time": {**_INSTANT, "description": "When it counts."},
            "ce_since": {**_INSTANT, "description": "From when durations run, where that differs."},
            "ce_input": {**_TEXT, "description": "Position of the input, or deadline/<name>."},
            "ce_inputkey": {**_TEXT, "description": "The input's key, where it differs."},
            "ce_stream": {**_TEXT, "description": "The stream a forwarded input was sent to."},
            "ce_sender": {**_TEXT, "description": "Who was proven to have sent it."},
            "ce_more": {**_TEXT, "description": "The last aggregate that decided so far, where more have to."},
            "ce_inputsha256": {**_HEX, "description": "Digest of the input as it is stored."},
            "ce_contentsha256": {**_HEX, "description": "Digest of its type and value."},
            "ce_chain": {**_HEX, "description": "The chain's hash after this record."},
        },
        (*_ALWAYS, "ce_sequence", "ce_time", "ce_chain"),
    ),
    "MarkerHeaders": ("Headers of the first record of every partition.", _BASE, tuple(_BASE)),
}


def document(version: str) -> Schema:
    """Return the whole document."""
    channels = {topic.name: _channel(topic) for topic in topics.TOPICS}
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "Adjudex",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{brokers}",
                "protocol": "kafka",
                "description": "Apache Kafka 4.0 or newer (docs/kafka.md).",
                "variables": {"brokers": {"default": "localhost:9092", "description": "HOST:PORT[,HOST:PORT...]"}},
            }
        },
        "channels": channels,
        "operations": _operations(channels),
        "components": {"schemas": _schemas()},
    }


# --- channels


def _channel(topic: topics.Topic) -> Schema:
    owner = topics.OWNED.get(topic.name)
    return {
        "address": f"{{space}}.{topic.name}",
        "description": _KINDS["owned" if owner else topic.kind],
        "parameters": {"space": {"description": "Name of the space.", "default": "main"}},
        "messages": {message["name"]: message for message in _messages(topic)},
        "bindings": {"kafka": {"topicConfiguration": _configuration(topic.kind), "bindingVersion": "0.5.0"}},
        "x-kind": topic.kind,
        "x-owner": owner,
        "x-written-by": _writers(topic),
        "x-read-by": _readers(topic),
    }


def _configuration(kind: str) -> Schema:
    known = topics.SETTINGS[kind]
    numbers = ("retention.ms", "retention.bytes", "max.message.bytes")
    return {"cleanup.policy": [known["cleanup.policy"]]} | {name: int(known[name]) for name in numbers}


def _messages(topic: topics.Topic) -> Iterable[Schema]:
    yield _message(TopicStarted, "MarkerHeaders", ("partition",), "The first record of every partition.")
    service = topic.name.partition(".")[0]
    match topic.kind:
        case "input":
            for taken in topics.stream(topic.name).types:
                yield _message(taken, "InputHeaders", (_kind(taken),))
        case "inbox":
            yield from _inbox(service)
        case "log":
            kinds = (*catalogue.deciders(service), "partition")
            for wire, model in catalogue.logged(service).items():
                if wire != TopicStarted.wire:
                    yield _message(model, "LogHeaders", ("facts",) if model is FactNoted else kinds)
        case "output":
            yield _message(catalogue.outputs()[topic.name], "OutputHeaders", ())


def _inbox(service: str) -> Iterable[Schema]:
    received: dict[type[Message], set[str]] = {}
    for told in catalogue.told():
        if told.receiver == service:
            received.setdefault(told.message, set()).add(told.kind)
    for model, kinds in sorted(received.items(), key=lambda item: item[0].wire):
        yield _message(model, "MessageHeaders", tuple(sorted(kinds)))
    for stream in catalogue.streams(service):
        for given in topics.stream(stream).types:
            yield _message(given, "ForwardedHeaders", (_kind(given),), f"Forwarded from {stream}.")


def _message(model: type[Message], headers: str, kinds: tuple[str, ...], note: str = "") -> Schema:
    key: Schema = {"type": "string"}
    if kinds:
        key["pattern"] = f"^(?:{'|'.join(kinds)})/"
    typed = {"type": "object", "properties": {"ce_type": {"const": model.wire}}}
    about = (model.__doc__ or "").partition("\n")[0]
    return {
        "name": model.wire,
        "title": model.__name__,
        "summary": f"{about} {note}".strip(),
        "headers": {"allOf": [{"$ref": f"#/components/schemas/{headers}"}, typed]},
        "payload": {"$ref": f"#/components/schemas/{model.wire}"},
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
    }


def _kind(model: type[Input]) -> str:
    """Return the kind of aggregate that an input is about, as its content says."""
    sample = model.model_validate_json(samples(model, written=False)[0])
    return sample.key().partition("/")[0]


def _writers(topic: topics.Topic) -> list[str]:
    service = topic.name.partition(".")[0]
    match topic.kind:
        case "input":
            return [topics.OWNED.get(topic.name, "producers")]
        case "inbox":
            return sorted({service, *(told.sender for told in catalogue.told() if told.receiver == service)})
        case "log":
            return [service]
        case _:
            return [RELAY]


def _readers(topic: topics.Topic) -> list[str]:
    service = topic.name.partition(".")[0]
    match topic.kind:
        case "input":
            return [name for name in topics.SERVICES if topic.name in catalogue.streams(name)]
        case "inbox":
            return [service]
        case "log":
            return [service, RELAY, VIEWS, "readers"]
        case _:
            return [RELAY, "producers", "readers"]


# --- operations


def _operations(channels: Mapping[str, Schema]) -> Schema:
    found: Schema = {}
    for service in topics.SERVICES:
        inbox, log = f"{service}.inbox", f"{service}.events"
        for stream in (*catalogue.streams(service), inbox):
            name = f"{service}.reads.{stream}"
            found[name] = _operation("receive", service, stream, channels, f"{service} decides {stream}.")
        found[f"{service}.writes.{log}"] = _operation("send", service, log, channels, f"{service} decided.")
        for receiver in topics.TELLS[service]:
            wires = sorted(
                {told.message.wire for told in catalogue.told() if told.sender == service and told.receiver == receiver}
            )
            to = f"{receiver}.inbox"
            if wires:
                about = f"{service} tells {receiver}."
                found[f"{service}.tells.{receiver}"] = _operation("send", service, to, channels, about, wires)
        own = [wire for stream in catalogue.streams(service) for wire in channels[stream]["messages"]]
        forwarded = [wire for wire in own if wire != TopicStarted.wire]
        about = f"{service} forwards inputs that stood in another partition than their key's."
        found[f"{service}.forwards.{inbox}"] = _operation("send", service, inbox, channels, about, forwarded)
    for topic in topics.TOPICS:
        if topic.kind == "log":
            for reader in (RELAY, VIEWS):
                about = f"{reader} reads what was decided."
                found[f"{reader}.reads.{topic.name}"] = _operation("receive", reader, topic.name, channels, about)
        if topic.kind == "output":
            name = f"{RELAY}.writes.{topic.name}"
            found[name] = _operation("send", RELAY, topic.name, channels, "relay publishes it.")
    return found


def _operation(
    action: str,
    service: str,
    channel: str,
    channels: Mapping[str, Schema],
    about: str,
    wires: Iterable[str] | None = None,
) -> Schema:
    named = wires if wires is not None else channels[channel]["messages"]
    operation: Schema = {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": about,
        "tags": [{"name": service}],
        "messages": [{"$ref": f"#/channels/{channel}/messages/{wire}"} for wire in named],
    }
    if action == "receive":
        group: Schema = {"type": "string", "pattern": f"\\.{service}$", "description": "<space>.<service>"}
        operation["bindings"] = {"kafka": {"groupId": group, "bindingVersion": "0.5.0"}}
    return operation


# --- components


def _schemas() -> Schema:
    """Return every schema: definitions that differ between what is accepted and what is written get two names."""
    found: Schema = {}
    for name, (about, properties, required) in _HEADERS.items():
        found[name] = {
            "type": "object",
            "description": about,
            "properties": dict(properties),
            "required": list(required),
        }
    drawn = {
        wire: (schema_of(model, written=catalogue.is_written(model)), catalogue.is_written(model))
        for wire, model in catalogue.messages().items()
    }
    accepted: Schema = {}
    written: Schema = {}
    for schema, is_written in drawn.values():
        (written if is_written else accepted).update(schema.get("$defs", {}))
    renamed = _differing(accepted, written)
    found |= {name: _component(schema, {}) for name, schema in sorted(written.items())}
    found |= {
        f"{name}Input" if name in renamed else name: _component(schema, renamed)
        for name, schema in sorted(accepted.items())
    }
    for wire, (schema, is_written) in drawn.items():
        kept = {key: value for key, value in schema.items() if key not in ("$schema", "$id", "$defs")}
        found[wire] = _component(kept, {} if is_written else renamed)
    return found


def _differing(accepted: Schema, written: Schema) -> dict[str, str]:
    """Return what must be called otherwise where it is accepted: what differs, and all that refers to it."""
    differs = {name for name in accepted if name in written and accepted[name] != written[name]}
    while True:
        refers = {
            name
            for name, schema in accepted.items()
            if name in written and any(f'"#/$defs/{other}"' in json.dumps(schema) for other in differs)
        }
        if refers <= differs:
            return {name: f"{name}Input" for name in sorted(differs)}
        differs |= refers


def _component(schema: Schema, renamed: Mapping[str, str]) -> Any:  # noqa: ANN401 - what `walk` returns
    """Spell a schema as AsyncAPI's own dialect (draft 7 and more) takes it: nothing stands beside a reference."""

    def change(node: Schema) -> Schema:
        reference = node.get("$ref")
        if not isinstance(reference, str):
            return node
        name = reference.removeprefix("#/$defs/")
        pointer = {"$ref": f"#/components/schemas/{renamed.get(name, name)}"}
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return {"allOf": [pointer], **rest} if rest else pointer

    return walk(schema, change)
