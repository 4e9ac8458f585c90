"""What every command has in common: what it says, what it refuses, and how it ends."""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from shutil import get_terminal_size
from textwrap import TextWrapper
from typing import Any, ParamSpec

import orjson
import typer

FINE, FINDINGS = 0, 1
"""Exit codes: all is well; something was found, or the operation was refused. Wrong usage is 2, which Typer says."""
_COLUMNS_MIN, _COLUMNS_MAX = 60, 100
_WORD_MAX = 200
"""Up to this length a word (an address, a path) is left whole, so that it can be copied."""
_Arguments = ParamSpec("_Arguments")


class OperationRefusedError(Exception):
    """What was asked for is not done: `str` says what is wrong, `todo` what to do."""

    def __init__(self, wrong: str, todo: str) -> None:
        super().__init__(wrong)
        self.todo = todo


class Console:
    """Standard output: readable text, or JSON and nothing else."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def put(self, content: Mapping[str, Any], *text: str) -> None:
        """Say one thing: as one line of JSON, or as lines of text."""
        if self.as_json:
            sys.stdout.write(orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE).decode())
        else:
            sys.stdout.writelines(f"{line}\n" for line in text)

    def flush(self) -> None:
        """Hand over what was said; raises BrokenPipeError when nobody reads it."""
        sys.stdout.flush()


def columns() -> int:
    """Return how many columns text may take: as many as there are or COLUMNS says, from 60 to 100."""
    return max(min(get_terminal_size((_COLUMNS_MAX, 24)).columns, _COLUMNS_MAX), _COLUMNS_MIN)


def wrapped(label: str, text: str, *, indent: int = 0, width: int = 0) -> list[str]:
    """Lay out a label of `width` columns and its text, wrapped beside it."""
    first = " " * indent + label.ljust(width)
    rest = " " * len(first)
    wrapper = TextWrapper(columns(), initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    wrapper.break_long_words = max(map(len, text.split()), default=0) > _WORD_MAX
    return wrapper.wrap(printable(text)) or [first.rstrip()]


def printable(text: str) -> str:
    """Spell out control characters: what strangers sent must not steer a terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Align columns to the left, two spaces apart."""
    kept = list(rows)
    widths = [max(len(row[column]) for row in kept) for column in range(len(kept[0]))] if kept else []
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in kept]


def complain(wrong: str, todo: str, *, as_json: bool) -> None:
    """Say on standard error what is wrong and what to do."""
    if as_json:
        sys.stderr.write(orjson.dumps({"error": wrong, "todo": todo}).decode() + "\n")
    else:
        sys.stderr.write(f"error: {printable(wrong)}\nwhat to do: {printable(todo)}\n")


def ends(command: Callable[_Arguments, int]) -> Callable[_Arguments, None]:
    """Make a command end with the exit code it returns, or with 1 and a message when the operation is refused."""

    @wraps(command)
    def run(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        try:
            code = command(*args, **kwargs)
            sys.stdout.flush()
        except OperationRefusedError as error:
            complain(str(error), error.todo, as_json=as_json)
            code = FINDINGS
        except BrokenPipeError:
            # Whoever read us has gone; Python would complain once more when it flushes at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = FINDINGS
        except Exception as error:
            if not _says_of_the_data(error):
                raise
            complain(str(error), "`adjudex doctor` examines the data directory", as_json=as_json)
            code = FINDINGS
        raise typer.Exit(code)

    return run


def _says_of_the_data(error: Exception) -> bool:
    """Tell whether an error says that the data cannot be used, rather than that this program is wrong."""
    from services.kernel.partition import BrokenInvariantError
    from services.kernel.store import StoreError

    return isinstance(error, (BrokenInvariantError, OSError, StoreError, sqlite3.Error))


def configure_logging(level: str) -> None:
    """Send the program's own log to standard error, from a level on."""
    import logging

    import structlog

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
