"""A bot that watches something and reports incidents: each report is signed, posted, and its outcome printed.

It reads JSON lines, from a file or as they come on standard input. A line is an observation,

    {"product": "harbor-vault", "at": "2026-03-01T12:00:00Z", "value_minor": "3100000000000"}

which is reported when the value fell by more than --fell-by percent since the one before; or it is a report,

    {"product": "harbor-vault", "occurred_at": "2026-03-01T12:00:00Z", "reference": "seen-1", "summary": "drained"}

The reference is the bot's own name for what it saw. It also makes the input's id, so that a bot that was stopped can
read the same lines again: what was reported before is answered as a duplicate.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import orjson

from adjudex_client import Client, Json, Sender, connection, describe, options, run


class Watch:
    """The rule: what is an incident."""

    def __init__(self, fell_by: float) -> None:
        self.fell_by = fell_by
        self.last: dict[str, int] = {}

    def report(self, line: Json) -> Json | None:
        """Return the report that a line calls for, if any; raises KeyError, ValueError or TypeError."""
        if "summary" in line:
            return line
        product, value = line["product"], int(line["value_minor"])
        before = self.last.get(product, value)
        self.last[product] = value
        # In whole numbers: amounts have up to 78 digits, and a float keeps sixteen.
        if (before - value) * 10_000 <= before * round(self.fell_by * 100):
            return None
        return {
            "product": product,
            "reference": "fell-" + "".join(filter(str.isalnum, line["at"])),
            "occurred_at": line["at"],
            "summary": f"value fell from {before} to {value}, by more than {self.fell_by:g} percent",
        }


async def lines(file: Path | None) -> AsyncIterator[bytes]:
    """Read lines as they come, without keeping Kafka's connections from being served meanwhile."""
    with file.open("rb") if file else sys.stdin.buffer as source:
        while line := await asyncio.to_thread(source.readline):
            yield line


async def watch(told: argparse.Namespace) -> int:
    """Report what the lines call for; return the exit status."""
    rule, status = Watch(told.fell_by), 0
    sender = Sender(told.space, told.key, told.principal)
    async with Client(sender, connection(told.kafka), told.timeout, told.tries) as client:
        async for line in lines(told.observations):
            try:
                report = rule.report(orjson.loads(line))
                if report is None:
                    continue
                input_id, key = f"report-{report['reference']}", f"product/{report['product']}"
            except (KeyError, TypeError, ValueError) as error:
                print(f"passed over {line!r}: {type(error).__name__} {error}", file=sys.stderr)
                status = 1
                continue
            outcome = await client.post("incident.reports", "incident.report.v1", input_id, key, report)
            print(orjson.dumps(outcome).decode() if told.json else describe(outcome), flush=True)
            # A duplicate was decided when it came first: nothing is wrong with that.
            status = status if outcome["fate"] in ("decided", "duplicate") else 1
    return status


def main() -> None:
    """Read the command line and watch."""
    parser = options("Report incidents to Adjudex: lines that are reports, and values that fall too far.")
    parser.add_argument("--observations", type=Path, metavar="FILE", help="JSON lines (default: standard input)")
    parser.add_argument("--fell-by", type=float, default=50, metavar="PERCENT", help="what is an incident (50)")
    parser.add_argument("--timeout", type=float, default=30, metavar="SECONDS", help="until it is sent again (30)")
    parser.add_argument("--tries", type=int, default=4, help="how often it is sent before giving up (4)")
    parser.add_argument("--json", action="store_true", help="print outcomes as they are, one JSON object a line")
    told = parser.parse_args()
    if told.key is None:
        parser.error("--key is needed: incident.reports takes vouched inputs only")
    run(watch(told))


if __name__ == "__main__":
    main()
