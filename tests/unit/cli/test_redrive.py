"""Dead letters sent again: repaired or as they were, as new inputs whose fate is shown."""

import json
from pathlib import Path

import pytest

from services.cli.keys import create_key, registration
from tests.support.command import Answer, adjudex, answers
from tests.unit.cli.spaces import new_data

ACCOUNT = "eip155:1:0x" + "e1" * 20
LETTER = {"stream": "payout.receipts", "type": "receipt.failed.v1", "id": "letter", "raw": "no gas", "partition": 1}
JUNK = {"stream": "assessor.actions", "type": "assessor.register.v1", "id": "junk", "raw": "{", "partition": 0}
PASSED = {"stream": "governance.actions", "type": "group.set.v9", "id": "future", "content": {}, "partition": 0}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    key = create_key(tmp_path / "data" / "keys", "gateway")
    register = registration("gateway", key, ["assessor.actions"], ["*"])
    return new_data(tmp_path, (register, LETTER, JUNK, PASSED))


def positions(data: Path) -> dict[str, str]:
    listed = answers(adjudex("set-aside", "list", "--data", data, "--json").stdout)
    return {line["id"]: line["position"] for line in listed}


def redriven(data: Path, what: str, *more: str | Path, code: int = 0) -> list[Answer]:
    ended = adjudex("set-aside", "redrive", positions(data)[what], "--data", data, "--json", *more)
    assert ended.returncode == code, ended.stderr
    return answers(ended.stdout)


def test_repaired_and_vouched_for__is_decided(data: Path, tmp_path: Path) -> None:
    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps({"assessor": ACCOUNT}))
    first, second = redriven(data, "junk", "--value", mended, "--as", "gateway")
    assert first["id"] == "junk"
    outcome = second["outcome"]
    assert (outcome["input_id"], outcome["fate"]) == ("junk", "decided")
    assert outcome["events"][0] == "assessor.registered.v1"
    assert outcome["key"] == f"assessor/{ACCOUNT}"
    assert adjudex("log", "verify", "--data", data).returncode == 0
    (again,) = redriven(data, "junk", "--value", mended, "--as", "gateway", code=1)[1:]
    assert again["outcome"]["fate"] == "duplicate"


def test_owned_stream__needs_nobody_and_shows_what_it_is_refused_for(data: Path, tmp_path: Path) -> None:
    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps({"payout": "c/1/1", "attempt": 1, "reason": "no gas"}))
    (_, second) = redriven(data, "letter", "--value", mended, "--id", "letter-2", code=1)
    assert (second["outcome"]["input_id"], second["outcome"]["fate"]) == ("letter-2", "refused")
    assert second["outcome"]["refusal"]["rule"] == "receipt.payout-unknown"


def test_as_it_was__is_set_aside_again(data: Path) -> None:
    (_, second) = redriven(data, "future", code=1)
    assert second["outcome"]["fate"] == "set-aside"
    assert len(answers(adjudex("set-aside", "list", "--data", data, "--json").stdout)) == 4


def test_type_that_is_repaired__counts(data: Path, tmp_path: Path) -> None:
    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps({"group": "guardians", "members": ["gateway"]}))
    (_, second) = redriven(data, "future", "--type", "group.set.v1", "--value", mended)
    assert second["outcome"]["events"] == ["group.set-to.v1"]


@pytest.mark.parametrize(
    ("what", "more", "wrong"),
    [
        ("junk", (), "nobody vouches for it any more"),
        ("junk", ("--as", "stranger"), "there is no private key of stranger"),
        ("junk", ("--value", "none.json"), "none.json cannot be read"),
    ],
)
def test_what_nobody_can_decide__refused_before_it_is_sent(
    what: str, more: tuple[str, ...], wrong: str, data: Path
) -> None:
    before = adjudex("log", "verify", "--data", data, "--json").stdout
    ended = adjudex("set-aside", "redrive", positions(data)[what], "--data", data, *more)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert wrong in ended.stderr
    assert adjudex("log", "verify", "--data", data, "--json").stdout == before


def test_what_was_not_set_aside__refused(data: Path) -> None:
    ended = adjudex("set-aside", "redrive", "governance.actions/0/99", "--data", data)
    assert ended.returncode == 1
    assert "nothing at governance.actions/0/99 was set aside" in ended.stderr
