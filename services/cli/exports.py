"""`adjudex log export` and `adjudex log verify`."""

import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedRandom, BufferedReader
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO

from services.cli.console import FINDINGS, FINE, Console, OperationRefusedError, printable, table, wrapped
from services.cli.data import DataDirectory
from services.cli.intake import STDIN
from services.kernel.export import read_export, write_export
from services.kernel.verify import Report, verify
from services.registry import TOPIC_NAMES, decision_services
from services.relay.publish import PUBLISHES

_GZIP = b"\x1f\x8b"


async def export(data: DataDirectory, to: Path | None, console: Console) -> int:
    """Write an export to a file, or to standard output; returns the exit code."""
    if to is None:
        await _write(data, sys.stdout.buffer)
        return FINE
    with _new_file(to) as file:
        count = await _write(data, file)
        size = file.tell()
    console.put({"export": str(to), "records": count, "bytes": size}, f"{count:,} records in {to}, {size:,} bytes")
    return FINE


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that appears under its name once it is whole."""
    if path.exists():
        raise OperationRefusedError(f"{path} exists", "choose another name, or remove that file first")
    draft = path.with_name(f".{path.name}.draft")
    try:
        with draft.open("wb") as file:
            yield file
        draft.rename(path)
    except OSError as error:
        raise OperationRefusedError(f"{path} cannot be written: {error.strerror}", "choose another place") from None
    finally:
        draft.unlink(missing_ok=True)


async def _write(data: DataDirectory, file: IO[bytes]) -> int:
    async with data.reading() as (space, store):
        return await write_export(space, TOPIC_NAMES, store, file)


async def verify_data(data: DataDirectory, console: Console) -> int:
    """Verify what the data directory holds at this moment; returns the exit code."""
    with TemporaryFile() as file:
        await _write(data, file)
        file.seek(0)
        return verify_file(file, console)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open an export, `-` for standard input; one that gzip packed is unpacked."""
    if path == STDIN:
        with TemporaryFile() as kept:
            copyfileobj(sys.stdin.buffer, kept)
            kept.seek(0)
            yield _plain(kept)
    else:
        with path.open("rb") as file:
            yield _plain(file)


def _plain(file: BufferedReader | BufferedRandom) -> IO[bytes]:
    """Look at the first bytes without reading them: what is opened may be a pipe."""
    return gzip.open(file) if file.peek(2).startswith(_GZIP) else file  # type: ignore[return-value]


def verify_file(file: IO[bytes], console: Console) -> int:
    """Verify an export; returns the exit code."""
    report = verify(read_export(file), decision_services(), PUBLISHES)
    console.put(_json(report), *_text(report))
    return FINE if report.clean else FINDINGS


def _counts(report: Report) -> dict[str, int | None]:
    """Return what was counted; None where nothing was, as the check could not be made."""
    counts = {
        "records": report.records,
        "events": report.events,
        "inputs": report.inputs,
        "decided_again": report.decided_again,
        "messages": report.messages,
        "published": report.published,
    }
    return {name: None if name in report.cut_short and not count else count for name, count in counts.items()}


def _json(report: Report) -> dict[str, object]:
    return {
        "clean": report.clean,
        **_counts(report),
        "findings": [finding._asdict() for finding in report.findings],
        "more_findings": report.more,
        "other_releases": report.other_releases,
        "passed_by_operators": report.passed_by_operators,
        "log_hash": report.log_hash if report.clean else None,
    }


_MEANINGS = {
    "records": "in the export",
    "events": "in the logs; every chain recomputed",
    "inputs": "public ones and messages between services",
    "decided_again": "inputs and deadlines, compared byte for byte",
    "messages": "between services, each sent by a log record",
    "published": "outcomes and instructions, each said by a log record",
}


def _text(report: Report) -> list[str]:
    lines = table(_row(name, count, cut_short=name in report.cut_short) for name, count in _counts(report).items())
    if report.other_releases:
        lines += ["", "decided by other releases, so checked by chain, fates and fold only:"]
        lines += [line for note in _by_release(report.other_releases) for line in wrapped("  - ", note)]
    if report.passed_by_operators:
        lines += ["", "passed by operators:"]
        lines += [line for note in report.passed_by_operators for line in wrapped("  - ", note)]
    lines += ["", _verdict(report)]
    for where, what in report.findings:
        lines += [f"  {printable(where)}", *wrapped("", what, indent=6)]
    if report.more:
        lines.append(f"  and {report.more:,} more")
    return [*lines, f"log hash {report.log_hash}" if report.clean else "no log hash: see the findings"]


def _row(name: str, count: int | None, *, cut_short: bool) -> tuple[str, str, str]:
    label = name.replace("_", " ")
    if count is None:
        return label, f"{'-':>9}", "not checked"
    meaning = "as far as could be checked: see the findings" if cut_short else _MEANINGS[name]
    return label, f"{count:>9,}", meaning


def _by_release(spans: list[str]) -> list[str]:
    """Gather where each release began."""
    starts: dict[str, list[str]] = {}
    for span in spans:
        where, _, release = span.partition(": ")
        starts.setdefault(release, []).append(where)
    return [f"{release}: from {', '.join(held)}" for release, held in starts.items()]


def _verdict(report: Report) -> str:
    count = len(report.findings) + report.more
    return "nothing wrong found" if report.clean else "1 finding:" if count == 1 else f"{count:,} findings:"
