"""What somebody who wants to deceive a verifier can do to an export: change it, and make its own hashes fit again."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from services.kernel.export import record_json, record_of
from services.kernel.wire import genesis, record_digest

Spelled = dict[str, Any]
Forge = Callable[[list[Spelled]], str]
"""Changes what the lines say, and returns where the verifier has to find it."""


def lines_of(export: bytes) -> list[bytes]:
    """Split an export into its lines, ends of lines included."""
    return export.splitlines(keepends=True)


def contents_of(export: bytes) -> list[Spelled]:
    """Read what the lines say, without their hashes."""
    return [orjson.loads(line)["line"] for line in lines_of(export)]


def forged(export: bytes, forge: Forge) -> tuple[bytes, str]:
    """Let a forger change what the lines say, then count and hash everything again; return that, and where it is."""
    contents = contents_of(export)
    where = forge(contents)
    if contents[-1] == contents_of(export)[-1]:
        contents[-1] = {"records": len(contents) - 2}
    before, lines = bytes(32), []
    for content in contents:
        spelled = orjson.dumps(content)
        before = hashlib.sha256(before + spelled).digest()
        lines.append(b'{"hash":"' + before.hex().encode() + b'","line":' + spelled + b"}\n")
    return b"".join(lines), where


def records(contents: list[Spelled], topic: str, wire: str = "") -> Iterator[int]:
    """Go through the lines with records of a topic (and a type), markers left out."""
    for number, content in enumerate(contents):
        if content.get("topic") == topic and content["offset"] and (not wire or header(content, "ce_type") == wire):
            yield number


def header(content: Spelled, name: str) -> str:
    """Return a header of a record."""
    return str(dict(content["headers"]).get(name, ""))


def set_header(content: Spelled, name: str, value: str) -> None:
    """Change a header of a record."""
    content["headers"] = [[held, value if held == name else before] for held, before in content["headers"]]


def place(content: Spelled) -> str:
    """Name where a record stands."""
    return f"{content['topic']}/{content['partition']}/{content['offset']}"


def rechain(contents: list[Spelled], log: str) -> None:
    """Make the hash chains of a log fit what its records say now."""
    space = contents[0]["space"]["name"]
    for partition in range(contents[0]["space"]["partitions"]):
        numbers = [
            number
            for number, content in enumerate(contents)
            if content.get("topic") == log and content["partition"] == partition
        ]
        incarnation = orjson.loads(contents[numbers[0]]["value"])["incarnation"]
        chain = genesis(space, log, partition, incarnation)
        for number in numbers[1:]:
            record = record_of(contents[number])
            chain = record_digest(chain, record.key, record.value, record.headers)
            set_header(contents[number], "ce_chain", chain.hex())


def copy_of(content: Spelled, **changed: object) -> Spelled:
    """Return another record like one that there is."""
    return {**record_json(record_of(content)), **changed}


def decided_in(contents: list[Spelled], content: Spelled) -> str:
    """Name the log record that an input led to."""
    for held in contents:
        topic, _, rest = header(held, "ce_input").partition("@") if "headers" in held else ("", "", "")
        if f"{topic}/{rest.partition('/')[2]}" == place(content):
            return place(held)
    raise AssertionError(f"nothing came of {place(content)}")
