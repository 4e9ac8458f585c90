"""What a forger changes is found, though he mends every hash of the file, and where he can those of the log."""

import json
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from schemas.topics import TOPICS
from tests.integration.forgery import (
    Forge,
    Spelled,
    copy_of,
    decided_in,
    forged,
    place,
    rechain,
    records,
    set_header,
)
from tests.support.command import adjudex

FILED, FILE = "claim.filed.v1", "claim.file.v1"
Change = Callable[[Spelled], object]


def value(before: str, after: str) -> Change:
    def change(content: Spelled) -> None:
        assert before in content["value"]
        content["value"] = content["value"].replace(before, after)

    return change


def head(name: str, after: str) -> Change:
    return lambda content: set_header(content, name, after)


def part(name: str, after: object) -> Change:
    return lambda content: content.update({name: after})


def event(change: Change, wire: str = FILED, log: str = "claims.events", *, chained: bool = True) -> Forge:
    """Change an event, and mend the log's chain after it."""

    def forge(contents: list[Spelled]) -> str:
        content = contents[next(records(contents, log, wire))]
        change(content)
        if chained:
            rechain(contents, log)
        return place(content)

    return forge


def public(change: Change, wire: str = FILE, topic: str = "claim.filings") -> Forge:
    """Change an input: it is found where the log says what came of it."""

    def forge(contents: list[Spelled]) -> str:
        content = contents[next(records(contents, topic, wire))]
        where = decided_in(contents, content)
        change(content)
        return where

    return forge


def published(change: Change, topic: str) -> Forge:
    """Change what outsiders read."""

    def forge(contents: list[Spelled]) -> str:
        content = contents[next(records(contents, topic))]
        change(content)
        return place(content)

    return forge


def marker(topic: str) -> Forge:
    """Pretend that a topic is in another life."""

    def forge(contents: list[Spelled]) -> str:
        content = next(held for held in contents if held.get("topic") == topic)
        content["value"] = orjson.dumps({**orjson.loads(content["value"]), "incarnation": "0" * 16}).decode()
        return place(content)

    return forge


def appended(topic: str, **changed: object) -> Forge:
    """Append a record like the last one of a topic partition."""

    def forge(contents: list[Spelled]) -> str:
        number = [*records(contents, topic)][-1]
        added = copy_of(contents[number], offset=contents[number]["offset"] + 1, **changed)
        contents.insert(number + 1, added)
        return place(added)

    return forge


def dropped(topic: str, *, newest: bool) -> Forge:
    """Drop a record; of the newest it is found that what it decided has no fate, of another that it is missing."""

    def forge(contents: list[Spelled]) -> str:
        numbers = [*records(contents, topic)]
        number = numbers[-1] if newest else numbers[0]
        content = contents.pop(number)
        if newest and topic.endswith(".events"):
            came_from, _, rest = dict(content["headers"])["ce_input"].partition("@")
            return f"{came_from}/{rest.partition('/')[2]}"
        return place(content)

    return forge


def input_gone(contents: list[Spelled]) -> str:
    """Drop the newest input of a topic partition: it is missed where the log says what came of it."""
    number = [*records(contents, "claim.filings")][-1]
    where = decided_in(contents, contents[number])
    del contents[number]
    return where


def unpublished(topic: str) -> Forge:
    """Drop the newest record of what outsiders read."""

    def forge(contents: list[Spelled]) -> str:
        content = contents.pop([*records(contents, topic)][-1])
        return f"{topic}/{content['partition']}"

    return forge


def swapped(topic: str) -> Forge:
    """Swap two inputs, each with the other's offset."""

    def forge(contents: list[Spelled]) -> str:
        first, second = (contents[number] for number in [*records(contents, topic)][:2])
        assert first["partition"] == second["partition"]
        where = decided_in(contents, first)
        for name in ("key", "value", "headers", "appended_at"):
            first[name], second[name] = second[name], first[name]
        return where

    return forge


def out_of_order(contents: list[Spelled]) -> str:
    number = next(records(contents, "claim.filings"))
    contents[number], contents[number + 1] = contents[number + 1], contents[number]
    return place(contents[number + 1])


def space(name: str, after: object, where: str) -> Forge:
    """Change what the first line says of the space."""

    def forge(contents: list[Spelled]) -> str:
        contents[0]["space"][name] = after
        return where

    return forge


def count(contents: list[Spelled]) -> str:
    contents[-1] = {"records": len(contents)}
    return "end"


def elsewhere(**changed: object) -> Forge:
    """Add a record where the space has no place for one."""

    def forge(contents: list[Spelled]) -> str:
        added = copy_of(contents[1], **changed)
        contents.insert(1, added)
        return place(added)

    return forge


FORGERIES: dict[str, Forge] = {
    "event: value": event(value("100000", "100001"), chained=False),
    "event: value, chain mended": event(value("100000", "100001")),
    "event: sender": event(head("ce_sender", "eve")),
    "event: cause": event(head("ce_causationid", "another")),
    "event: time": event(head("ce_time", "2026-01-01T00:00:00.000Z")),
    "event: key": event(part("key", "cover/c-2")),
    "event: no JSON, chain mended": event(part("value", "{")),
    "refusal: value": event(value("already", "long since"), "refused.v1"),
    "payout: recipient": event(value("0x11", "0x22"), "payout.instructed.v1", "payouts.events"),
    "vote: weight": event(value("1000", "9000"), "vote.counted.v1", "adjudication.events"),
    "input: value": public(value("100000", "100001")),
    "input: timestamp": public(part("appended_at", "2026-01-01T00:00:00.000Z")),
    "input: key": public(part("key", "cover/c-2")),
    "input: proof": public(head("ce_proof", "{}")),
    "message: value": public(value("100000", "900000"), "payout.request.v1", "payouts.inbox"),
    "outcome: fate": published(value("decided", "refused"), "input.outcomes"),
    "outcome: header": published(head("ce_id", "another"), "input.outcomes"),
    "instruction: amount": published(value("100000", "900000"), "payout.instructions"),
    "instruction: key": published(part("key", "payout/c-2/1/1"), "payout.instructions"),
    **{f"marker: {topic.name}": marker(topic.name) for topic in TOPICS},
    "input without a fate": appended("claim.filings"),
    "forged message": appended("claims.inbox"),
    "forged event": appended("claims.events"),
    "forged outcome": appended("input.outcomes", value="{}"),
    "dropped event": dropped("claims.events", newest=False),
    "dropped newest event": dropped("payouts.events", newest=True),
    "dropped input": dropped("claim.filings", newest=False),
    "dropped newest input": input_gone,
    "dropped instruction": unpublished("payout.instructions"),
    "dropped outcome": unpublished("input.outcomes"),
    "lines out of order": out_of_order,
    "inputs swapped": swapped("governance.actions"),
    "space: name": space("name", "other", "governance.events/0/1"),
    "space: partitions, fewer": space("partitions", 1, "claims.events/1/0"),
    "space: partitions, more": space("partitions", 3, "claims.events/2/0"),
    "number of records": count,
    "record of no topic": elsewhere(topic="other.events"),
    "record of no partition": elsewhere(partition=9),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged__found_where_it_is(name: str, story: bytes, tmp_path: Path) -> None:
    content, where = forged(story, FORGERIES[name])
    file = tmp_path / "forged.jsonl"
    file.write_bytes(content)

    ended = adjudex("log", "verify", file, "--json")

    findings = json.loads(ended.stdout)["findings"]
    assert ended.returncode == 1
    assert where in [finding["where"] for finding in findings], findings
    assert not any(finding["where"].startswith("line ") for finding in findings)


def test_forger_who_changes_nothing__mends_every_hash(story: bytes) -> None:
    def nothing(contents: list[Spelled]) -> str:
        for log in ("governance", "incidents", "claims", "adjudication", "payouts"):
            rechain(contents, f"{log}.events")
        return ""

    assert forged(story, nothing)[0] == story


@pytest.mark.parametrize(("name", "after"), [("skew_ms", 2_001), ("late_ms", 1), ("owned", {}), ("partitions", 1)])
def test_forged_configuration__is_not_what_the_logs_were_decided_under(
    name: str, after: object, story: bytes, tmp_path: Path
) -> None:
    def reconfigure(contents: list[Spelled]) -> str:
        assert contents[0]["space"][name] != after
        contents[0]["space"][name] = after
        return place(contents[next(records(contents, "claims.events", "release.started.v1"))])

    found = _found(*forged(story, reconfigure), tmp_path)
    assert "configuration" in found


def test_forged_list_of_topics__is_found(story: bytes, tmp_path: Path) -> None:
    def shorten(contents: list[Spelled]) -> str:
        contents[0]["topics"].remove("payout.receipts")
        return "line 1"

    assert "payout.receipts" in _found(*forged(story, shorten), tmp_path)


def test_forged_value__only_the_fields_that_differ_are_shown(story: bytes, tmp_path: Path) -> None:
    found = _found(*forged(story, FORGERIES["event: value, chain mended"]), tmp_path)
    assert found.startswith('decided again, value.amount_minor is "100001", must be "100000"')
    unreadable = _found(*forged(story, FORGERIES["event: no JSON, chain mended"]), tmp_path)
    assert unreadable.startswith("decided again, value is {, must be {")


def test_forged_value__a_field_too_many_and_one_too_few(story: bytes, tmp_path: Path) -> None:
    def rename(contents: list[Spelled]) -> str:
        return event(value('"amount_minor"', '"amount"'))(contents)

    found = _found(*forged(story, rename), tmp_path)
    assert found.startswith(
        'decided again, value.amount is "100000", must be absent; value.amount_minor is absent, must be "100000"'
    )


def test_line_without_a_record__is_found_though_its_hash_fits(story: bytes, tmp_path: Path) -> None:
    def insert(contents: list[Spelled]) -> str:
        contents.insert(9, None)  # type: ignore[arg-type]
        return "line 10"

    file = tmp_path / "forged.jsonl"
    file.write_bytes(forged(story, insert)[0])
    findings = json.loads(adjudex("log", "verify", file, "--json").stdout)["findings"]
    assert any(finding["where"].startswith("line 10 ") and "no record" in finding["what"] for finding in findings)


def _found(content: bytes, where: str, folder: Path) -> str:
    """Return what the verifier says of a place."""
    file = folder / "forged.jsonl"
    file.write_bytes(content)
    ended = adjudex("log", "verify", file, "--json")
    assert ended.returncode == 1
    findings = json.loads(ended.stdout)["findings"]
    return "\n".join(finding["what"] for finding in findings if finding["where"] == where)
