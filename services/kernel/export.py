"""Exports: everything a space's truth rests on, in one file that says itself whether it was touched.

An export is a text file of lines `{"hash":"<64 hex>","line":<JSON>}`: first the space, then every record of every
topic, last how many there were. Each hash is sha256 of the hash before it and the line's JSON bytes, so that a
changed, dropped or added byte shows at its own line.
"""

import base64
import hashlib
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from gzip import BadGzipFile
from typing import IO, Any, NamedTuple, Protocol

import orjson

from schemas.envelope import Record
from schemas.instants import format_instant, parse_instant

from . import collector
from .space import Space, space_json, space_of

FORMAT = "adjudex-export.v1"
_HEAD, _MIDDLE, _TAIL = b'{"hash":"', b'","line":', b"}"
_START = b"\x00" * 32
_LINE = len(_HEAD) + 64 + len(_MIDDLE)
_NO_JSON = object()
_STRANGE_LINES_MAX = 1_000
"""So many lines at the start may say nothing at all, before the file is taken for something else."""


class Readable(Protocol):
    """What an export is taken from: any store that can be read as an outsider reads it."""

    def read(self, topic: str, partition: int, start: int = 0) -> AsyncIterator[Sequence[Record]]:
        """Read a topic partition."""


def _text(content: bytes | None) -> Any:  # noqa: ANN401 - a string, null, or an object with base64
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def _bytes(text: Any) -> bytes | None:  # noqa: ANN401
    if text is None:
        return None
    return base64.b64decode(text["base64"]) if isinstance(text, dict) else text.encode()


def _name(name: str) -> Any:  # noqa: ANN401
    """Spell a header's name; one that is not UTF-8 is held as the bytes that are stored."""
    return name if name.isascii() else _text(name.encode(errors="surrogateescape"))


def _named(spelled: Any) -> str:  # noqa: ANN401
    return (_bytes(spelled) or b"").decode(errors="surrogateescape")


def record_json(record: Record) -> dict[str, Any]:
    """Spell a record as JSON; `record_of` reads it back to the same bytes."""
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "appended_at": format_instant(record.timestamp),
        "key": _text(record.key),
        "headers": [[_name(name), _text(value)] for name, value in record.headers],
        "value": _text(record.value),
    }


def record_of(spelled: dict[str, Any]) -> Record:
    """Read what `record_json` spelled; raises KeyError, TypeError or ValueError."""
    return Record(
        spelled["topic"],
        int(spelled["partition"]),
        int(spelled["offset"]),
        parse_instant(spelled["appended_at"]),
        _bytes(spelled["key"]),
        _bytes(spelled["value"]),
        tuple((_named(name), _bytes(value) or b"") for name, value in spelled["headers"]),
    )


def _line(before: bytes, content: bytes) -> tuple[bytes, bytes]:
    digest = hashlib.sha256(before + content).digest()
    return digest, _HEAD + digest.hex().encode() + _MIDDLE + content + _TAIL + b"\n"


async def write_export(space: Space, topics: Iterable[str], store: Readable, file: IO[bytes]) -> int:
    """Write an export and return how many records it holds."""
    names = list(topics)
    digest, line = _line(_START, orjson.dumps({"export": FORMAT, "space": space_json(space), "topics": names}))
    file.write(line)
    count = 0
    for topic in names:
        for partition in range(space.partitions):
            async for records in store.read(topic, partition):
                for record in records:
                    digest, line = _line(digest, orjson.dumps(record_json(record)))
                    file.write(line)
                    count += 1
    _, line = _line(digest, orjson.dumps({"records": count}))
    file.write(line)
    return count


class Finding(NamedTuple):
    """Something that is not as it must be: where, and what."""

    where: str
    what: str


@dataclass(slots=True)
class Export:
    """What an export holds, and what is wrong with the file itself."""

    space: Space | None
    topics: tuple[str, ...]
    records: dict[tuple[str, int], list[Record]]
    findings: list[Finding]
    records_count: int = 0


def _lines(file: IO[bytes], findings: list[Finding]) -> Iterator[tuple[str, Any]]:
    """Go through what the lines say, or _NO_JSON, noting every line whose bytes are not what its hash says."""
    before, position = _START, 0
    for number, line in enumerate(_unpacked(file, findings), 1):
        where = f"line {number} (byte {position})"
        position += len(line)
        whole = line.removesuffix(b"\n")
        content = whole[_LINE:-1]
        digest, expected = _line(before, content)
        try:
            stated = bytes.fromhex(line[len(_HEAD) : len(_HEAD) + 64].decode())
            before = stated if len(stated) == len(_START) else digest
        except ValueError:
            before = digest
        try:
            spelled = orjson.loads(content)
        except orjson.JSONDecodeError:
            findings.append(Finding(where, "the file ends in the middle of it" if whole == line else "it is not JSON"))
            yield where, _NO_JSON
            continue
        if whole + b"\n" != expected:
            what = "its bytes, or those of a line missing before it, are not what its hash says"
            findings.append(Finding(_with_place(where, spelled), what))
        if whole == line:
            findings.append(Finding(f"byte {position}", "the newline at the end of the file is missing"))
        yield where, spelled


def _unpacked(file: IO[bytes], findings: list[Finding]) -> Iterator[bytes]:
    """Go through the lines of a file; what gzip says of one that it packed is a finding as any other."""
    try:
        yield from file
    except (EOFError, BadGzipFile, zlib.error) as error:
        findings.append(Finding("end", f"what gzip packed is damaged or cut off: {error}"))


def _with_place(where: str, spelled: Any) -> str:  # noqa: ANN401 - whatever the line says
    """Add the place of the record that a line holds, where it says one."""
    try:
        return f"{where[:-1]}, {spelled['topic']}/{int(spelled['partition'])}/{int(spelled['offset'])})"
    except (KeyError, TypeError, ValueError):
        return where


def _says_nothing(export: Export, ended: int | None) -> bool:
    """Tell whether no line was yet one that an export has."""
    return export.space is None and not export.records_count and ended is None


@collector.paused()
def read_export(file: IO[bytes]) -> Export:
    """Read an export; what is wrong with the file is in its findings, and the rest is read all the same."""
    export = Export(None, (), {}, [])
    ended: int | None = None
    lines = 0
    for lines, (where, content) in enumerate(_lines(file, export.findings), 1):
        if lines > _STRANGE_LINES_MAX and _says_nothing(export, ended):
            break
        try:
            if content is _NO_JSON:
                continue  # _lines says so
            if ended is not None:
                export.findings.append(Finding(where, "it stands after the last line"))
            elif "export" in content:
                if content["export"] != FORMAT:
                    export.findings.append(Finding(where, f"format {content['export']}; {FORMAT} is read here"))
                export.space, export.topics = space_of(content["space"]), tuple(content["topics"])
            elif "records" in content:
                ended = int(content["records"])
            else:
                record = record_of(content)
                export.records.setdefault((record.topic, record.partition), []).append(record)
                export.records_count += 1
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            export.findings.append(Finding(where, f"it is no record: {type(error).__name__}: {error}"))
    if _says_nothing(export, ended):
        what = "no line of it can be read as one of an export" if lines else "it is empty"
        unpacking = [finding for finding in export.findings if finding.where == "end"]
        export.findings = [Finding("line 1", f"this is no export: {what}"), *unpacking]
        return export
    if export.space is None:
        export.findings.append(Finding("line 1", "the space is missing: this is no export, or its first line is gone"))
    if ended is None:
        export.findings.append(Finding("end", "the last line, with the number of records, is missing"))
    elif ended != export.records_count:
        what = f"{export.records_count} records, where the last line says {ended}"
        export.findings.append(Finding("end", what))
    return export
