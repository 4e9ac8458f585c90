"""A readable input that breaks a rule costs its sender an answer: which rule, what it had, what would be accepted."""

import pytest

from services.kernel.records import Refused
from tests.support.harness import VAULT, Entry, Harness
from tests.support.toy import ChangeRate, CoinInserted, Explode, InsertCoin


def refusal(harness: Harness, value: bytes) -> tuple[Entry, Refused]:
    """Append a coin with a value of the test's making and return its refusal."""
    record = harness.record(InsertCoin(till=harness.name_in(0), value_minor=5), id="c")
    harness.append(record._replace(value=value))
    harness.run_until_idle()
    entry = harness.entry_of("till", Refused)
    assert isinstance(entry.content, Refused)
    return entry, entry.content


@pytest.mark.parametrize(
    ("value", "path", "had", "accepted"),
    [
        (b'{"till":"a","value_minor":"five"}', "value_minor", '"five"', "must be a whole number"),
        (b'{"till":"a","value_minor":1.5}', "value_minor", "1.5", "must be a whole number"),
        (b'{"till":"a"}', "value_minor", "missing", "must be given"),
        (b'{"till":"a","value_minor":1,"tip":2}', "tip", "unknown", "must be one of till, value_minor"),
        (b'{"till":null,"value_minor":1}', "till", "null", "must be a string"),
        (b'{"till":{"a":[1]},"value_minor":1}', "till", '{"a": [1]}', "must be a string"),
        (b"[]", "value", "[]", "must be an object"),
        (b"null", "value", "null", "must be an object"),
    ],
)
def test_a_schema_violation_names_path_and_value_and_what_would_be_accepted(
    harness: Harness, value: bytes, path: str, had: str, accepted: str
) -> None:
    entry, refused = refusal(harness, value)
    assert refused.rule == f"schema.{path}"
    assert refused.value == f"{path}: {had}"
    assert refused.accepted.startswith(f"coin.insert.v1: {path}: ")
    assert accepted in refused.accepted
    assert not refused.unknown
    assert entry.key == "partition/0"


def test_a_schema_violation_says_how_many_more_there_are(harness: Harness) -> None:
    _, refused = refusal(harness, b'{"till":1,"value_minor":"x","tip":2}')
    assert refused.value == "till: 1 (and 2 more)"


@pytest.mark.parametrize(
    "value",
    [
        b'{"till":"a","value_minor":"' + b"x" * 200_000 + b'"}',
        b'{"till":"a","value_minor":1,"' + b"x" * 200_000 + b'":1}',
        b'{"till":"a","value_minor":1,"tip":"' + b"\\u0001" * 30_000 + b'"}',
    ],
    ids=["value", "name", "control characters"],
)
def test_a_huge_violation_makes_no_huge_refusal(harness: Harness, value: bytes) -> None:
    _, refused = refusal(harness, value)
    assert len(refused.to_bytes()) < 4_000


def test_a_schema_violation_does_not_use_up_the_id(harness: Harness) -> None:
    refusal(harness, b"{}")
    harness.put(InsertCoin(till=harness.name_in(0), value_minor=5), id="c")
    harness.run_until_idle()
    assert [coin.coin for coin in harness.events("till", CoinInserted)] == ["c"]


def test_a_refusal_about_what_does_not_exist_stands_on_the_partition(harness: Harness) -> None:
    for number in (0, 1):
        harness.put(Explode(till=harness.name_in(number)))
    harness.run_until_idle()
    entries = [entry for entry in harness.log("till") if isinstance(entry.content, Refused)]
    assert [entry.key for entry in entries] == ["partition/0", "partition/1"]
    for number, entry in enumerate(entries):
        assert entry.headers["ce_inputkey"] == f"till/{harness.name_in(number)}"
        assert isinstance(entry.content, Refused)
        assert entry.content.unknown
        assert harness.state("till", f"till/{harness.name_in(number)}").coins == 0
        assert f"till/{harness.name_in(number)}" not in harness.engine("till", number).partition.states


def test_a_refusal_about_what_exists_stands_on_it__and_changes_nothing_but_its_version(harness: Harness) -> None:
    harness.put(ChangeRate(rate=3))
    harness.put(ChangeRate(rate=3))
    harness.put(ChangeRate(rate=4))
    harness.run_until_idle()
    entries = [entry for entry in harness.log("bank") if entry.key == VAULT]
    assert [(entry.type, entry.headers["ce_sequence"]) for entry in entries] == [
        ("rate.set.v1", "1"),
        ("refused.v1", "2"),
        ("rate.set.v1", "3"),
    ]
    assert "ce_inputkey" not in entries[1].headers
    refused = entries[1].content
    assert refused == Refused(rule="rate.unchanged", value="3", accepted="another rate")


def test_a_refusal_sends_nothing(harness: Harness) -> None:
    harness.put(ChangeRate(rate=1))
    harness.run_until_idle()
    assert harness.story("bank") == ["refused.v1"]
    assert harness.records("till.inbox", 0) == harness.records("till.inbox", 1) == []
