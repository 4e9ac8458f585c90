"""The wire form: headers of inputs, messages and log records, ids, digests and the chain.

Log headers (all `ce_` attributes are CloudEvents extensions except the standard ones):

| header | holds |
|---|---|
| ce_sequence | version of the aggregate after this event |
| ce_causationid, ce_correlationid | id of the input that caused it; id of the public input that began it all |
| ce_input | the input's position, or `deadline/<name>` |
| ce_inputkey, ce_stream | the input's key where it differs from the record's; the public topic of a forwarded input |
| ce_more | the last aggregate that decided so far, where a broadcast concerns more of them than one transaction holds |
| ce_sender | proven sender, or the source of a sibling's message |
| ce_time, ce_since | `at` and, where it differs, `since` |
| ce_inputsha256 | digest of the input's stored record, its timestamp included |
| ce_contentsha256 | digest of its type and value: what tells a repeat from another input with the same id |
| ce_chain | hash chain of the log partition |
"""

import hashlib
import struct
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

import orjson

from schemas.envelope import Headers, Outgoing, Record
from schemas.instants import format_instant, parse_instant

_NAMESPACE = UUID("6a7f2f0e-6f0f-5b1e-9d7e-1f6f3f0a7c11").bytes
_CONTENT_TYPE = ("content-type", b"application/json")
_SPECVERSION = ("ce_specversion", b"1.0")
_CHAIN = "ce_chain"
_ABSENT = 0xFFFFFFFF
_SEPARATOR = b"\x1f"
_NAMES_MAX = 10_000
_VARIANT = {f"{digit:x}": f"{digit & 0x3 | 0x8:x}" for digit in range(16)}
"""How a UUID spells the digit that holds its variant."""


class _Spelled(dict[str, bytes]):
    """Header names as bytes; the few there are, are encoded once. What was no UTF-8 becomes the same bytes again."""

    def __missing__(self, name: str) -> bytes:
        if len(self) > _NAMES_MAX:
            self.clear()
        self[name] = spelled = name.encode(errors="surrogateescape")
        return spelled


class _Read(dict[bytes, str]):
    """Header names as text; the few there are, are decoded once."""

    def __missing__(self, spelled: bytes) -> str:
        if len(self) > _NAMES_MAX:
            self.clear()
        self[spelled] = name = spelled.decode(errors="surrogateescape")
        return name


_NAMES_SPELLED, _NAMES_READ = _Spelled(), _Read()


def stable_id(*parts: str | int) -> str:
    """Return the uuid5 of the JSON array of `parts`: the same parts, the same id, for ever."""
    text = hashlib.sha1(_NAMESPACE + orjson.dumps(parts), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


def record_digest(before: bytes, key: bytes | None, value: bytes | None, headers: Headers) -> bytes:
    """Digest stored bytes: sha256(before ‖ number of parts ‖ length of each ‖ the parts, one after the other).

    The parts are key, value, then name and value of each header in the order of names, the chain's left out; numbers
    are 4 bytes, big-endian. An absent key or value has the length 2^32 - 1, so that absent and empty differ.
    """
    parts = [key or b"", value or b""]
    for name, content in sorted(headers):
        if name != _CHAIN:
            parts += (_NAMES_SPELLED[name], content)
    lengths = list(map(len, parts))
    if key is None:
        lengths[0] = _ABSENT
    if value is None:
        lengths[1] = _ABSENT
    count = len(lengths)
    return hashlib.sha256(b"".join((before, _numbers(count + 1).pack(count, *lengths), *parts))).digest()


@lru_cache(maxsize=256)
def _numbers(count: int) -> struct.Struct:
    return struct.Struct(f">{count}I")


def input_digest(record: Record) -> str:
    """Digest an input as it is stored, its timestamp included."""
    return record_digest(struct.pack(">q", record.timestamp), record.key, record.value, record.headers).hex()


def content_digest(wire: str, value: bytes) -> str:
    """Digest what an input says, not how it travelled: type and value."""
    return hashlib.sha256(wire.encode() + b"\n" + value).hexdigest()


def genesis(space: str, log: str, partition: int, incarnation: str) -> bytes:
    """Return the hash a log partition's chain begins with."""
    return hashlib.sha256(orjson.dumps([space, log, partition, incarnation])).digest()


class UnreadableError(ValueError):
    """A record that is not in the wire form; `cause` is a short id of what is wrong."""

    def __init__(self, cause: str, reason: str) -> None:
        super().__init__(reason)
        self.cause = cause


class InputHeaders(NamedTuple):
    """What the kernel reads of an input's headers."""

    id: str
    source: str
    type: str
    correlation: str
    since: int | None
    proof: bytes | None
    forwarded_from: str | None
    stream: str | None


_REQUIRED = dict.fromkeys(("ce_id", "ce_source", "ce_type", "ce_specversion"))
_OPTIONAL = ("ce_correlationid", "ce_forwardedfrom", "ce_stream")
_TEXT_MAX = 512


def _text(name: str, value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise UnreadableError("header-not-text", f"header {name} is not UTF-8 text") from None
    if not 0 < len(text) <= _TEXT_MAX or not text.isprintable():
        raise UnreadableError(
            "header-not-text", f"header {name} must be 1 to {_TEXT_MAX} printable characters; it has {len(text)}"
        )
    return text


def _check_name(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        spelled = name.encode(errors="backslashreplace").decode()
        raise UnreadableError("header-not-text", f"the name of header {spelled} is not UTF-8 text") from None


# There are as many sources and types as there are senders and messages, however many inputs they have.
_few_texts = lru_cache(maxsize=1_024)(_text)


def read_input_headers(record: Record) -> InputHeaders:
    """Read an input's headers; raises UnreadableError."""
    headers = dict(record.headers)
    if len(headers) != len(record.headers):
        names = [name for name, _ in record.headers]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise UnreadableError("header-twice", f"header {', '.join(twice)} stands more than once")
    if not "".join(headers).isascii():
        for name in headers:
            _check_name(name)
    if not _REQUIRED.keys() <= headers.keys():
        missing = [name for name in _REQUIRED if name not in headers]
        raise UnreadableError("header-missing", f"header {', '.join(missing)} is missing")
    if headers["ce_specversion"] != b"1.0":
        raise UnreadableError("specversion", "header ce_specversion must be 1.0")
    identifier = _text("ce_id", headers["ce_id"])
    optional = [_text(name, headers[name]) if name in headers else None for name in _OPTIONAL]
    since = headers.get("ce_since")
    try:
        since_instant = parse_instant(since.decode()) if since is not None else None
    except ValueError:
        raise UnreadableError("header-not-instant", "header ce_since is not an RFC 3339 instant") from None
    return InputHeaders(
        identifier,
        _few_texts("ce_source", headers["ce_source"]),
        _few_texts("ce_type", headers["ce_type"]),
        optional[0] or identifier,
        since_instant,
        headers.get("ce_proof"),
        optional[1],
        optional[2],
    )


class Cause(NamedTuple):
    """Why log records exist: an input or a deadline, as far as their headers name it.

    `more` is the last aggregate that decided where further ones have to.
    """

    id: str
    correlation: str
    input: str
    key: str
    sender: str
    stream: str | None
    at: int
    since: int
    input_sha256: str
    content_sha256: str
    more: str | None = None


def log_record(  # noqa: PLR0913 - what a log record consists of
    log: str,
    partition: int,
    source: str,
    key: str,
    sequence: int,
    event_id: str,
    wire: str,
    value: bytes,
    at: int,
    cause: Cause | None,
    chain: bytes,
) -> tuple[Outgoing, bytes]:
    """Build one log record and the chain hash after it."""
    headers: list[tuple[str, bytes]]
    if cause is None:
        headers = []
    else:
        headers = [("ce_causationid", cause.id.encode())]
        if cause.content_sha256:
            headers.append(("ce_contentsha256", cause.content_sha256.encode()))
        headers.append(("ce_correlationid", cause.correlation.encode()))
    headers.append(("ce_id", event_id.encode()))
    if cause is not None:
        headers.append(("ce_input", cause.input.encode()))
        if cause.key != key:
            headers.append(("ce_inputkey", cause.key.encode()))
        if cause.input_sha256:
            headers.append(("ce_inputsha256", cause.input_sha256.encode()))
        if cause.more is not None:
            headers.append(("ce_more", cause.more.encode()))
        if cause.sender:
            headers.append(("ce_sender", cause.sender.encode()))
    headers.append(("ce_sequence", b"%d" % sequence))
    if cause is not None and cause.since != at:
        headers.append(("ce_since", format_instant(cause.since).encode()))
    headers += (("ce_source", source.encode()), _SPECVERSION)
    if cause is not None and cause.stream is not None:
        headers.append(("ce_stream", cause.stream.encode()))
    headers += (("ce_time", format_instant(at).encode()), ("ce_type", wire.encode()), _CONTENT_TYPE)
    key_bytes = key.encode()
    after = record_digest(chain, key_bytes, value, tuple(headers))
    headers.insert(1 if cause is not None else 0, (_CHAIN, after.hex().encode()))
    return Outgoing(log, partition, key_bytes, value, tuple(headers)), after


def message_record(  # noqa: PLR0913 - what a message consists of
    topic: str,
    partition: int,
    key: str,
    message_id: str,
    wire: str,
    value: bytes,
    source: str,
    causation: str,
    correlation: str,
    since: int,
) -> Outgoing:
    """Build one message to a sibling's inbox."""
    return Outgoing(
        topic,
        partition,
        key.encode(),
        value,
        (
            ("ce_causationid", causation.encode()),
            ("ce_correlationid", correlation.encode()),
            ("ce_id", message_id.encode()),
            ("ce_since", format_instant(since).encode()),
            ("ce_source", source.encode()),
            _SPECVERSION,
            ("ce_type", wire.encode()),
            _CONTENT_TYPE,
        ),
    )


def input_record(
    topic: str,
    partition: int,
    key: str | None,
    *,
    id: str,  # noqa: A002 - the attribute's name
    source: str,
    wire: str,
    value: bytes,
    proof: bytes | None = None,
) -> Outgoing:
    """Build one public input, as an outsider would."""
    headers = (
        ("ce_id", id.encode()),
        *((("ce_proof", proof),) if proof is not None else ()),
        ("ce_source", source.encode()),
        _SPECVERSION,
        ("ce_type", wire.encode()),
        _CONTENT_TYPE,
    )
    return Outgoing(topic, partition, None if key is None else key.encode(), value, headers)


def encode_headers(headers: Headers) -> bytes:
    """Pack headers for storage: names and values with a separator between them, in base 16 where one contains it."""
    parts: list[bytes] = []
    for name, value in headers:
        parts += (_NAMES_SPELLED[name], value)
    packed = _SEPARATOR.join(parts)
    if packed.count(_SEPARATOR) == max(len(parts) - 1, 0) and packed[:1] != b"#":
        return packed
    return b"#" + _SEPARATOR.join(part.hex().encode() for part in parts)


def decode_headers(packed: bytes) -> Headers:
    """Unpack what `encode_headers` packed."""
    if not packed:
        return ()
    if packed[:1] == b"#":
        parts = [bytes.fromhex(part.decode()) for part in packed[1:].split(_SEPARATOR)]
    else:
        parts = packed.split(_SEPARATOR)
    return tuple(zip(map(_NAMES_READ.__getitem__, parts[::2]), parts[1::2], strict=True))
