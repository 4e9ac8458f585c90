"""The envelope: what a message is, how it is named, read and upcast, and the record that carries it.

Inputs, inbox messages and log records share one form: CloudEvents 1.0 binary mode over Kafka, attributes as `ce_*`
headers, the content as a JSON value. The wire name of a message (`claim.filed.v1`) is part of the storage format and
never changes; the class that reads it may be renamed freely.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

Headers = tuple[tuple[str, bytes], ...]


class Record(NamedTuple):
    """One stored record. `timestamp` is when the store appended it, in milliseconds since the epoch."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def position(self) -> str:
        """Spell where it stands: `topic/partition/offset`."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Outgoing(NamedTuple):
    """One record about to be stored; the store gives it offset and timestamp."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Position(NamedTuple):
    """Where a record stands: topic, which life of the topic, partition and offset."""

    topic: str
    incarnation: str
    partition: int
    offset: int

    def __str__(self) -> str:
        """Spell it `topic@incarnation/partition/offset`."""
        return f"{self.topic}@{self.incarnation}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """Read what `str` wrote; raises ValueError."""
        topic, _, rest = text.partition("@")
        incarnation, partition, offset = rest.split("/")
        return cls(topic, incarnation, int(partition), int(offset))


class Message(BaseModel):
    """Content of an input, an inbox message or an event: immutable, strict, closed.

    `wire` is the pinned name under which `message` registered the class.
    """

    # Readers and writers are built when first used: a process uses few of them, and starts sooner.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=False, defer_build=True)
    wire: ClassVar[str]

    def to_bytes(self) -> bytes:
        """Canonical JSON: fields in declaration order, no white space; golden bytes in the tests pin it."""
        return self.__pydantic_serializer__.to_json(self)


class Input(Message):
    """Content of a public record. Its partition key is computed from the content, never taken from the record."""

    def key(self) -> str:
        """The aggregate this input is about, `<kind>/<id>`."""
        raise NotImplementedError

    def account(self) -> str | None:
        """The account (CAIP-10) in whose name the sender acts, or None where the sender acts as a principal."""
        return None


class Event(Message):
    """A decision: what a log holds."""


class InputTopic(NamedTuple):
    """A public stream: its name and the types it takes."""

    name: str
    types: tuple[type[Input], ...]


_models: dict[str, type[Message]] = {}
_upcasts: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {}
MessageType = TypeVar("MessageType", bound=type[Message])
Upcast = Callable[[dict[str, Any]], dict[str, Any]]


def message(wire: str) -> Callable[[MessageType], MessageType]:
    """Register a class under its pinned wire name; the name is taken once, for ever."""

    def register(model: MessageType) -> MessageType:
        if wire in _models or wire in _upcasts:
            text = f"wire name {wire} is taken"
            raise ValueError(text)
        model.wire = wire
        _models[wire] = model
        return model

    return register


def upcast(old: str, new: str) -> Callable[[Upcast], Upcast]:
    """Register how content of `old` becomes content of `new`: a pure function from one JSON object to the next."""

    def register(function: Upcast) -> Upcast:
        if old in _models or old in _upcasts:
            text = f"wire name {old} is taken"
            raise ValueError(text)
        _upcasts[old] = (new, function)
        return function

    return register


class UnknownTypeError(ValueError):
    """No message has this wire name."""


def current_wire(wire: str) -> str:
    """The wire name under which content of `wire` is read today, after upcasting; raises UnknownTypeError."""
    while wire in _upcasts:
        wire = _upcasts[wire][0]
    if wire not in _models:
        raise UnknownTypeError(wire)
    return wire


def model_of(wire: str) -> type[Message]:
    """The class that content of `wire` is read as today, after upcasting; raises UnknownTypeError."""
    return _models[current_wire(wire)]


def decode(wire: str, value: bytes) -> Message:
    """Read content: the one way from bytes to a message, for deciders, projections, verifier and rebuilds alike.

    Raises UnknownTypeError, or ValueError (pydantic's ValidationError among them) when the bytes are not such content.
    """
    model = _models.get(wire)
    if model is not None:
        read: Message = model.__pydantic_validator__.validate_json(value)
        return read
    # Not json.loads: its limit of depth depends on the caller's stack, so that a repeat could read otherwise.
    content = from_json(value) if wire in _upcasts else {}
    while wire in _upcasts:
        wire, function = _upcasts[wire]
        content = function(content)
    if wire not in _models:
        raise UnknownTypeError(wire)
    return decode(wire, json.dumps(content).encode())


def registered() -> Mapping[str, type[Message]]:
    """Every message by wire name."""
    return _models


def upcasts() -> Mapping[str, tuple[str, Upcast]]:
    """Every upcast by the wire name it reads."""
    return _upcasts
