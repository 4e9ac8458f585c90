"""Input lines: what a line of JSON posts, or what is wrong with it and what would be accepted."""

import json
from typing import Any, NamedTuple, NoReturn
from uuid import uuid4

from schemas.envelope import Input, Outgoing, decode
from schemas.topics import INPUTS
from services.cli.console import OperationRefusedError
from services.cli.keys import Keyring
from services.kernel.partitioner import partition_of
from services.kernel.proofs import vouch
from services.kernel.space import Space
from services.kernel.wire import input_record

_STREAMS = tuple(stream.name for stream in INPUTS)
_FIELDS: dict[str, tuple[type, ...]] = {
    "stream": (str,),
    "type": (str,),
    "content": (dict,),
    "raw": (str,),
    "id": (str,),
    "source": (str,),
    "as": (str,),
    "key": (str, type(None)),
    "partition": (int,),
}
_KINDS = {str: "a string", dict: "an object", int: "a whole number", type(None): "null"}
_SPELLED_MAX = 60
_SHAPE = '{"stream": …, "type": …, "content": {…}, "id": …}'


class LineError(ValueError):
    """A line that posts nothing: `str` says what is wrong, `accepted` what would be accepted."""

    def __init__(self, wrong: str, accepted: str) -> None:
        super().__init__(wrong)
        self.accepted = accepted


class Posted(NamedTuple):
    """An input about to be stored; `made` says that its sender gave it no id."""

    id: str
    made: bool
    record: Outgoing


def read_line(line: bytes, space: Space, keyring: Keyring) -> Posted:
    """Read a line; raises LineError."""
    fields = _object(line)
    _check(fields)
    try:
        value = _value(fields)
        identifier = fields["id"] if "id" in fields else str(uuid4())
        record = _record(fields, identifier, value, space)
    except UnicodeEncodeError as error:
        raise LineError(f"it holds half a character: {error}", "text of whole Unicode characters") from None
    if "as" in fields:
        record = _vouched(record, fields["as"], space, keyring)
    return Posted(identifier, "id" not in fields, record)


def _object(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise LineError(f"it is not JSON: {error}", f"one JSON object a line: {_SHAPE}") from None
    if not isinstance(fields, dict):
        raise LineError(f"it is JSON, but {_spelled(fields)} is no object", f"one JSON object a line: {_SHAPE}")
    return fields


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _spelled(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SPELLED_MAX else f"{text[: _SPELLED_MAX - 1]}…"


def _check(fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        kinds = _FIELDS.get(name)
        if kinds is None:
            raise LineError(f"field {_spelled(name)} means nothing here", f"the fields {', '.join(_FIELDS)}")
        if type(value) not in kinds:
            accepted = " or ".join(_KINDS[kind] for kind in kinds)
            raise LineError(f"field {name} is {_spelled(value)}", f"{accepted} as {name}")
    for name in ("stream", "type"):
        if name not in fields:
            raise LineError(f"field {name} is missing", f"an object with {name}: {_SHAPE}")
    if ("content" in fields) == ("raw" in fields):
        wrong = "both content and raw are there" if "raw" in fields else "field content is missing"
        raise LineError(wrong, "content, a JSON object, or else raw, the value's bytes as a string")
    if fields["stream"] not in _STREAMS:
        raise LineError(f"stream {_spelled(fields['stream'])} does not exist", f"one of {', '.join(_STREAMS)}")


def _value(fields: dict[str, Any]) -> bytes:
    if "raw" in fields:
        # Lone surrogates U+DC80 to U+DCFF stand for bytes that are no UTF-8, as everywhere in Python.
        return str(fields["raw"]).encode(errors="surrogateescape")
    return json.dumps(fields["content"], ensure_ascii=False, separators=(",", ":")).encode()


def _record(fields: dict[str, Any], identifier: str, value: bytes, space: Space) -> Outgoing:
    key = fields["key"] if "key" in fields else _key(fields["type"], value)
    partition = fields.get("partition", partition_of(identifier if key is None else key, space.partitions))
    if not 0 <= partition < space.partitions:
        raise LineError(f"partition {partition} does not exist", f"0 to {space.partitions - 1}, or no partition")
    return input_record(
        fields["stream"],
        partition,
        key,
        id=identifier,
        source=fields.get("source", f"/{space.name}/cli"),
        wire=fields["type"],
        value=value,
    )


def _key(wire: str, value: bytes) -> str | None:
    """Compute the key of content that can be read; what cannot be read is the services' to judge."""
    try:
        content = decode(wire, value)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return content.key() if isinstance(content, Input) else None


def _vouched(record: Outgoing, principal: str, space: Space, keyring: Keyring) -> Outgoing:
    try:
        key = keyring.find(principal)
    except OperationRefusedError as error:
        raise LineError(str(error), f"a principal whose key can be read; {error.todo}") from None
    if key is None:
        held = ", ".join(keyring.names()) or "none yet"
        raise LineError(
            f"there is no private key of {_spelled(principal)} in {keyring.folder}",
            f"a principal whose key is there ({held}); `adjudex key new NAME` makes one",
        )
    return vouch(key, principal, space.name, [record])[0]
