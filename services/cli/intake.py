"""Reading input lines from files and standard input, in a thread, so that waiting for them holds nothing up."""

import asyncio
import os
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

STDIN = Path("-")
_LINE_BYTES_MAX = 4_000_000
_CHUNK_BYTES = 65_536
_BATCH_LINES = 100
_BATCHES_MAX = 4


class Line(NamedTuple):
    """One line: where it stands, and its bytes; None when it is too long to be kept."""

    file: str
    number: int
    content: bytes | None

    @property
    def place(self) -> str:
        """Name it as editors do; a line of standard input by its number alone."""
        return f"line {self.number}" if self.file == str(STDIN) else f"{self.file}:{self.number}"


TOO_LONG = f"at most {_LINE_BYTES_MAX:,} bytes in a line"
"""What would be accepted instead of a line without content."""


def read_lines(handle: int, file: str) -> Iterator[list[Line]]:
    """Split what a file descriptor brings into lines, as soon as they are whole; blank ones count but say nothing."""
    rest, number, skipping = b"", 0, False
    while chunk := os.read(handle, _CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        lines = []
        for content in whole:
            number += 1
            if skipping:
                skipping = False
            elif content.strip():
                lines.append(Line(file, number, content if len(content) <= _LINE_BYTES_MAX else None))
        if len(rest) > _LINE_BYTES_MAX:
            if not skipping:
                lines.append(Line(file, number + 1, None))
            rest, skipping = b"", True
        if lines:
            yield lines
    if rest.strip() and not skipping:
        yield [Line(file, number + 1, rest)]


class Intake:
    """Lines in batches. Few batches are held: who writes faster than we decide has to wait."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.ended = False
        self.arrived = asyncio.Event()
        self.failed: OSError | None = None
        self._files = files
        self._batches: queue.Queue[list[Line] | None] = queue.Queue(_BATCHES_MAX)
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, name="intake", daemon=True).start()

    def take(self) -> list[Line]:
        """Return lines that are there now, but no more than one transaction should hold."""
        lines: list[Line] = []
        for _ in range(_BATCHES_MAX):
            try:
                batch = self._batches.get_nowait()
            except queue.Empty:
                self.arrived.clear()
                break
            if batch is None:
                self.ended = True
            else:
                lines += batch
        return lines

    def _run(self) -> None:
        try:
            for file in self._files:
                if file == STDIN:
                    self._read(0, str(file))
                else:
                    with file.open("rb", buffering=0) as opened:
                        self._read(opened.fileno(), str(file))
        except OSError as error:
            self.failed = error
        self._put(None)

    def _read(self, handle: int, file: str) -> None:
        for lines in read_lines(handle, file):
            for start in range(0, len(lines), _BATCH_LINES):
                self._put(lines[start : start + _BATCH_LINES])

    def _put(self, batch: list[Line] | None) -> None:
        self._batches.put(batch)
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            self._loop.call_soon_threadsafe(self.arrived.set)
