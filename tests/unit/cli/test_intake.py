"""Splitting what arrives into lines, however it arrives."""

import os
from pathlib import Path
from tempfile import TemporaryFile

from hypothesis import given
from hypothesis import strategies as st

from services.cli.intake import Line, read_lines


def lines_of(content: bytes) -> list[Line]:
    with TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        return [line for lines in read_lines(file.fileno(), "f") for line in lines]


@given(st.lists(st.sampled_from([b"", b" ", b"a", b"{}", b"\r", b"x" * 70_000]), max_size=8), st.booleans())
def test_lines__whole_and_numbered_from_one_without_the_blank(lines: list[bytes], ended: bool) -> None:
    content = b"\n".join(lines) + (b"\n" if ended else b"")
    expected = [Line("f", number, line) for number, line in enumerate(lines, 1) if line.strip()]
    assert lines_of(content) == expected


def test_line_too_long__is_named_and_the_next_one_is_read() -> None:
    long = b"x" * 4_000_001
    assert lines_of(b"a\n" + long + b"\nb\n") == [Line("f", 1, b"a"), Line("f", 2, None), Line("f", 3, b"b")]
    assert lines_of(b"a\n" + long) == [Line("f", 1, b"a"), Line("f", 2, None)]
    assert lines_of(long * 2 + b"\nb") == [Line("f", 1, None), Line("f", 2, b"b")]
    assert lines_of(long[:-1]) == [Line("f", 1, long[:-1])]


def test_pipe__a_line_is_there_as_soon_as_it_is_whole() -> None:
    reading, writing = os.pipe()
    lines = read_lines(reading, "-")
    os.write(writing, b"one\ntw")
    assert next(lines) == [Line("-", 1, b"one")]
    os.write(writing, b"o\n")
    assert next(lines) == [Line("-", 2, b"two")]
    os.write(writing, b"rest")
    os.close(writing)
    assert next(lines) == [Line("-", 3, b"rest")]
    os.close(reading)


def test_place__as_editors_name_it() -> None:
    assert Line("-", 7, b"").place == "line 7"
    assert Line(str(Path("in") / "a.jsonl"), 7, b"").place == "in/a.jsonl:7"
