"""An assessor's client: what is there to vote on, and one vote, signed by a key that may act for the assessor.

    assessor.py --space S --account A                                        lists cases with an open round
    assessor.py --space S --account A --key K --case claim/c-1/1 --choice accept --clause 4.1
    assessor.py --space S --account A --key K --accept-if-evidence --clause 4.1

A vote has no amount: an assessor accepts a claim as it stands, or denies it.
"""

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer

from adjudex_client import Client, Json, Sender, check, connection, describe, options, run


@dataclass
class Case:
    """What the log says of a case: its open round (0: none), and this account's part in it."""

    amount_minor: str = "0"
    round: int = 0
    closes_at: str = ""
    cast: list[str] = field(default_factory=list)
    excluded: str = ""


class Docket:
    """All cases, folded from `adjudication.events`; how many documents each claim has, from `claims.events`."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.cases: defaultdict[str, Case] = defaultdict(Case)
        self.documents: Counter[str] = Counter()

    def fold(self, record: Any) -> None:  # noqa: ANN401 - aiokafka has no types
        """Take in one record. Unknown types are passed over: logs have more than this client needs to know."""
        wire, content = dict(record.headers)["ce_type"].decode(), orjson.loads(record.value)
        name = record.key.decode().removeprefix("case/")
        match wire:
            case "case.opened.v1" | "case.reduced.v1":
                self.cases[name].amount_minor = content["amount_minor"]
            case "ballot.opened.v1":
                case = self.cases[name]
                case.round, case.closes_at, case.cast, case.excluded = content["round"], content["closes_at"], [], ""
            case "assessor.excluded.v1" if content["assessor"] == self.account:
                self.cases[name].excluded = content["reason"]
            case "vote.counted.v1" if content["assessor"] == self.account:
                self.cases[name].cast.append(content["choice"])
            case "ballot.closed.v1" | "case.withdrawn.v1":
                self.cases[name].round = 0
            case "claim.filed.v1" | "evidence.added.v1":
                self.documents[f"claim/{content['claim']}"] += len(content["evidence"])
            case _:
                pass

    def open_cases(self) -> dict[str, Case]:
        """Return the cases with an open round."""
        return {name: case for name, case in sorted(self.cases.items()) if case.round}


async def read(docket: Docket, space: str, kafka: Json) -> AsyncGenerator[bool, None]:
    """Read both logs from the beginning and go on for ever; say each time whether that is all there is."""
    # Logs are written in transactions: without read_committed one sees decisions that were never made.
    logs = [f"{space}.adjudication.events", f"{space}.claims.events"]
    await check(kafka, *logs)
    reader = AIOKafkaConsumer(*logs, **kafka, isolation_level="read_committed", auto_offset_reset="earliest")
    try:
        await reader.start()
        while True:
            for records in (await reader.getmany(timeout_ms=200)).values():
                for record in records:
                    docket.fold(record)
            ends = await reader.end_offsets(reader.assignment())
            yield all([await reader.position(place) >= end for place, end in ends.items()])
    finally:
        await reader.stop()


def wanted(told: argparse.Namespace, docket: Docket) -> dict[str, Case]:
    """Return the cases to vote on, of those that are open."""
    cases = {name: case for name, case in docket.open_cases().items() if told.case in (None, name)}
    if told.accept_if_evidence:
        return {name: case for name, case in cases.items() if docket.documents[name]}
    return cases if told.case else {}


def show(docket: Docket) -> None:
    """Print what is open."""
    for name, case in docket.open_cases().items():
        mine = case.excluded or f"voted {case.cast[-1] if case.cast else 'nothing yet'}"
        print(f"{name}: {case.amount_minor}, {docket.documents[name]} documents, closes {case.closes_at}; you: {mine}")


async def vote(told: argparse.Namespace) -> int:
    """Wait until there is something to vote on, then vote; return the exit status."""
    kafka, docket, until = connection(told.kafka), Docket(told.account), time.monotonic() + told.wait
    async with aclosing(read(docket, told.space, kafka)) as reading:
        async for at_end in reading:
            if at_end and (wanted(told, docket) or time.monotonic() >= until):
                break
    if told.choice is None:
        show(docket)
        return 0
    cases, status = wanted(told, docket), 0
    if not cases:
        print(f"nothing to vote on: open are {', '.join(docket.open_cases()) or 'no cases'}")
        return 1
    async with Client(Sender(told.space, told.key, told.principal), kafka, told.timeout, told.tries) as client:
        for name, case in cases.items():
            if case.excluded or (case.cast and not told.again):
                print(f"{name}: not voted: {case.excluded or f'you voted {case.cast[-1]}; --again replaces that'}")
                continue
            content = {"case": name, "assessor": told.account, "choice": told.choice}
            content |= {"clause": told.clause, "rationale": told.rationale}
            # The same id until the log has the vote: whoever is cut off here starts again, and votes once.
            input_id = f"vote-{name}-round-{case.round}-{len(case.cast) + 1}"
            outcome = await client.post("assessor.votes", "vote.cast.v1", input_id, f"case/{name}", content)
            print(orjson.dumps(outcome).decode() if told.json else describe(outcome), flush=True)
            status = status if outcome["fate"] in ("decided", "duplicate") else 1
    return status


def main() -> None:
    """Read the command line and vote."""
    parser = options("List the cases that can be voted on, or vote.")
    parser.add_argument("--account", required=True, help="the assessor, CAIP-10: eip155:1:0x… in lower case")
    parser.add_argument("--case", help="which: claim/COVER/N; without it, all that --accept-if-evidence fits")
    parser.add_argument("--choice", choices=("accept", "deny"))
    parser.add_argument("--accept-if-evidence", action="store_true", help="accept claims that have a document")
    parser.add_argument("--clause", default="", help="the wording's clause the vote rests on; most rulebooks want one")
    parser.add_argument("--rationale", default="", help="why, for everybody to read")
    parser.add_argument("--again", action="store_true", help="vote although a vote counts already")
    parser.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="until there is something (0)")
    parser.add_argument("--timeout", type=float, default=30, metavar="SECONDS", help="until it is sent again (30)")
    parser.add_argument("--tries", type=int, default=4, help="how often it is sent before giving up (4)")
    parser.add_argument("--json", action="store_true", help="print outcomes as they are, one JSON object a line")
    told = parser.parse_args()
    told.choice = "accept" if told.accept_if_evidence else told.choice
    if told.choice and told.key is None:
        parser.error("--key is needed to vote: assessor.votes takes vouched inputs only")
    if bool(told.case) != bool(told.choice) and not told.accept_if_evidence:
        parser.error("--case and --choice go together")
    run(vote(told))


if __name__ == "__main__":
    main()
