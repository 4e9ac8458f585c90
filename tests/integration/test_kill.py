"""Law 1 of product.md section 13, on real processes: kill -9 at any moment, and nothing is lost, nothing is twice."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from schemas.adjudication import VoteCounted
from schemas.claims import ClaimApproved, ClaimFiled, ClaimPaid, CoverRegistered
from schemas.incidents import IncidentOpened, ReportJoined
from schemas.outcomes import InputOutcome, PayoutInstruction
from schemas.payouts import PayoutConfirmed, PayoutInstructed, PayoutRetried
from schemas.topics import INSTRUCTIONS, OUTCOMES, SERVICES
from tests.integration.client import Client, is_final, wishes
from tests.integration.processes import Up
from tests.integration.reading import contents, header, public
from tests.integration.world import ASSESSORS
from tests.support.command import adjudex

COVERS = 60
LIVES = 6


def live_and_be_killed(client: Client, data: Path) -> None:
    """Run one life, killed after a number of lines that lies anywhere between the first and the last."""
    client.look(data)
    lines = client.shuffled()
    client.note_sent(lines)
    with Up(data) as up:
        up.post(lines)
        client.hear(up.read(client.random.randint(1, 2 * len(lines))))
        client.hear(up.kill())
    assert up.process.returncode == -9


def live_to_the_end(client: Client, data: Path) -> None:
    """Run the last life, until everything wanted is decided."""
    client.look(data)
    posted: set[str] = set()
    with Up(data, "--until-idle") as up:
        while not client.satisfied:
            lines = [line for line in client.due() if line["id"] not in posted]
            client.note_sent(lines)
            posted.update(line["id"] for line in lines)
            up.post(lines)
            answer = up.next()
            assert answer is not None, up.process.stderr.read() if up.process.stderr else ""
            client.hear([answer])
        up.end_input()
        client.hear(up.rest())
    assert up.process.returncode == 0


@pytest.mark.parametrize("seed", range(6))
def test_kill_9_under_load__nothing_lost_and_nothing_twice(seed: int, data: Path) -> None:
    client = Client(wishes(COVERS), seed)
    for _ in range(LIVES):
        live_and_be_killed(client, data)
    live_to_the_end(client, data)

    check_topics(client, data)
    check_effects(client, data)
    check_outcomes(client, data)
    check_instructions(data)
    verified = adjudex("log", "verify", "--data", data)
    assert verified.returncode == 0, verified.stdout


def check_topics(client: Client, data: Path) -> None:
    """Every acknowledgement names a record of its own; the only others are those whose answer the kill cut off."""
    stored: dict[str, str] = {}
    copies: Counter[str] = Counter()
    for record in public(data):
        stored[record.position] = header(record, "ce_id")
        copies[header(record, "ce_id")] += 1
    named = [_short(position) for positions in client.positions.values() for position in positions]
    assert len(named) == len(set(named))
    for identifier, positions in client.positions.items():
        assert {stored[_short(position)] for position in positions} == {identifier}
    for identifier in client.wanted:
        assert client.acknowledged[identifier] <= copies[identifier] <= client.sent[identifier]


def _short(position: str) -> str:
    topic, _, rest = position.partition("@")
    return f"{topic}/{rest.partition('/')[2]}"


def check_effects(client: Client, data: Path) -> None:
    """Every input that was wanted had its effect, once."""
    events = contents(data, *(f"{service}.events" for service in SERVICES))
    kinds = Counter(type(event) for event in events)
    once = (CoverRegistered, ClaimFiled, ClaimApproved, PayoutInstructed, PayoutConfirmed, ClaimPaid)
    assert {kind: kinds[kind] for kind in once} == dict.fromkeys(once, COVERS)
    assert kinds[VoteCounted] == COVERS * len(ASSESSORS)
    reports = [wish for identifier, wish in client.wanted.items() if identifier.startswith("report-")]
    assert kinds[IncidentOpened] + kinds[ReportJoined] == len(reports)


def check_outcomes(client: Client, data: Path) -> None:
    """Every public record has an outcome; of those of one input exactly one is not a repeat."""
    told: dict[str, InputOutcome] = {}
    for outcome in contents(data, OUTCOMES):
        assert isinstance(outcome, InputOutcome)
        assert told.setdefault(outcome.position, outcome) == outcome
    assert {_short(position) for position in told} == {record.position for record in public(data)}
    fates: dict[str, list[InputOutcome]] = defaultdict(list)
    for outcome in told.values():
        fates[outcome.input_id].append(outcome)
    for identifier in client.wanted:
        assert [outcome.fate for outcome in fates[identifier] if is_final(outcome)] == ["decided"]


def check_instructions(data: Path) -> None:
    """What the treasury reads is what the log says; repeats are the same."""
    told: dict[tuple[str, int], PayoutInstruction] = {}
    for instruction in contents(data, INSTRUCTIONS):
        assert isinstance(instruction, PayoutInstruction)
        place = (instruction.reference, instruction.attempt)
        assert told.setdefault(place, instruction) == instruction
    said = {
        (event.payout, event.attempt): (event.amount_minor, event.recipient, event.asset)
        for event in contents(data, "payouts.events")
        if isinstance(event, (PayoutInstructed, PayoutRetried))
    }
    assert {place: (held.amount_minor, held.recipient, held.asset) for place, held in told.items()} == said
