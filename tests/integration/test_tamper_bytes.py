"""A changed, dropped or added byte anywhere in an export is found, at the line where it is."""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from schemas.topics import INPUTS, INSTRUCTIONS, OUTCOMES, SERVICES, TOPICS
from tests.integration.forgery import contents_of, lines_of
from tests.support.command import adjudex

Part = tuple[int, int, int]
"""A line (from 0), and the first and the last byte of something in it."""
_EVENTS = [f"{service}.events" for service in SERVICES]
_INBOXES = [f"{service}.inbox" for service in SERVICES]
_PUBLIC = [topic.name for topic in INPUTS]


def of_records(topics: Iterable[str], pattern: bytes, *, markers: bool = False) -> Callable[[bytes], list[Part]]:
    """Say where the records of some topics have a part."""
    wanted, part = set(topics), re.compile(pattern)

    def parts(export: bytes) -> list[Part]:
        found = []
        for number, line in enumerate(lines_of(export)):
            content = orjson.loads(line)["line"]
            if content.get("topic") in wanted and (content["offset"] == 0) is markers:
                match = part.search(line)
                assert match is not None
                found.append((number, match.start(1), match.end(1)))
        return found

    return parts


def first_line(export: bytes) -> list[Part]:
    return [(0, 0, len(lines_of(export)[0]))]


def last_line(export: bytes) -> list[Part]:
    lines = lines_of(export)
    return [(len(lines) - 1, 0, len(lines[-1]))]


KINDS = {
    "log value": of_records(_EVENTS, rb'"value":"(.+)"}}'),
    "log header": of_records(_EVENTS, rb'"headers":\[(.+)\],"value"'),
    "log key": of_records(_EVENTS, rb'"key":"([^"]+)"'),
    "log offset": of_records(_EVENTS, rb'"offset":(\d+)'),
    "log timestamp": of_records(_EVENTS, rb'"appended_at":"([^"]+)"'),
    "input value": of_records(_PUBLIC, rb'"value":"(.+)"}}'),
    "input key": of_records(_PUBLIC, rb'"key":"?([^",]+)'),
    "input timestamp": of_records(_PUBLIC, rb'"appended_at":"([^"]+)"'),
    "message": of_records(_INBOXES, rb'"value":"(.+)"}}'),
    "outcome": of_records([OUTCOMES], rb'"value":"(.+)"}}'),
    "instruction": of_records([INSTRUCTIONS], rb'"value":"(.+)"}}'),
    "marker": of_records([topic.name for topic in TOPICS], rb'"line":(.+)}', markers=True),
    "hash": of_records(_EVENTS, rb'"hash":"([0-9a-f]+)"'),
    "first line": first_line,
    "last line": last_line,
}


def check(export: bytes, folder: Path) -> list[str]:
    """Verify an export and return where something was found; of a line without the record that it holds."""
    file = folder / "tampered.jsonl"
    file.write_bytes(export)
    ended = adjudex("log", "verify", file, "--json")
    report: dict[str, Any] = json.loads(ended.stdout)
    assert ended.returncode == (0 if report["clean"] else 1)
    assert all(finding["what"] for finding in report["findings"])
    return [re.sub(r"^(line \d+ \(byte \d+), [^ ]+\)$", r"\1)", finding["where"]) for finding in report["findings"]]


def place(lines: list[bytes], number: int) -> str:
    """Name a line as the verifier does."""
    return f"line {number + 1} (byte {sum(map(len, lines[:number]))})"


def test_untouched__is_clean_with_every_fate_in_it(story: bytes, tmp_path: Path) -> None:
    assert check(story, tmp_path) == []
    outcomes = [held for held in contents_of(story) if held.get("topic") == OUTCOMES and held["offset"]]
    fates = {orjson.loads(held["value"])["fate"] for held in outcomes}
    assert fates == {"decided", "refused", "set-aside", "duplicate", "forwarded"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["changed", "dropped", "added"])
def test_one_byte__found_at_its_line(how: str, kind: str, story: bytes, tmp_path: Path) -> None:
    random, lines = Random(f"{how} {kind}"), lines_of(story)
    parts = KINDS[kind](story)
    for _ in range(4 if how == "changed" else 1):
        number, start, end = random.choice(parts)
        byte = random.randrange(start, end)
        line = bytearray(lines[number])
        if how == "changed":
            line[byte] ^= random.randrange(1, 256)
        elif how == "dropped":
            del line[byte]
        else:
            line.insert(byte, line[byte] ^ 1)
        found = check(b"".join([*lines[:number], line, *lines[number + 1 :]]), tmp_path)
        assert place(lines, number) in found, (number, byte, line)


def test_one_line__dropped_added_or_swapped_is_found_where_it_is(story: bytes, tmp_path: Path) -> None:
    random, lines = Random("lines"), lines_of(story)
    for _ in range(6):
        number = random.randrange(1, len(lines) - 2)
        stranger = lines[random.randrange(1, number) if number > 1 else number + 1]
        before, after = lines[:number], lines[number:]
        for tampered in (
            [*before, *after[1:]],
            [*before, stranger, *after],
            [*before, after[0], *after],
            [*before, after[1], after[0], *after[2:]],
        ):
            found = check(b"".join(tampered), tmp_path)
            doubled = tampered[number + 1 :] == after
            assert place(tampered, number + doubled) in found or place(tampered, number) in found


def test_end__dropped_or_cut_off_is_found(story: bytes, tmp_path: Path) -> None:
    assert "end" in check(b"".join(lines_of(story)[:-1]), tmp_path)
    assert f"byte {len(story) - 1}" in check(story[:-1], tmp_path)
    assert "end" in check(story[: len(story) // 2], tmp_path)


def test_no_export_at_all__says_so(tmp_path: Path) -> None:
    for content in (
        b"",
        b"\n",
        b"no export\n",
        b"\x00\xff" * 99,
        b'{"hash":"","line":[]}\n',
        b'{"hash":"","line":7}\n',
    ):
        assert "line 1" in check(content, tmp_path)
