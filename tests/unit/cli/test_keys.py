"""Key pairs of principals."""

import json
from pathlib import Path

import pytest

from schemas.governance import RegisterPrincipal
from schemas.topics import INPUTS, OWNED
from services.cli.keys import Keyring
from services.cli.lines import read_line
from services.kernel.space import Space
from tests.support.command import adjudex


def test_new__registers_by_a_line_that_can_be_posted_as_it_is(tmp_path: Path) -> None:
    args = ("--stream", "incident.reports", "--account", "eip155:1:0x" + "11" * 20)
    made = json.loads(adjudex("key", "new", "bot", "--data", tmp_path, "--json", *args).stdout)
    record = read_line(json.dumps(made["register"]).encode(), Space("unit", 2), Keyring(tmp_path / "keys")).record
    content = RegisterPrincipal.model_validate_json(record.value or b"")
    assert record.topic == "governance.actions"
    assert (content.principal, content.public_key) == ("bot", made["public_key"])
    assert (content.streams, content.accounts) == (("incident.reports",), ("eip155:1:0x" + "11" * 20,))


@pytest.mark.parametrize(("accounts", "registered"), [((), ()), (("--account", "*"), "*")])
def test_new__by_default_may_write_what_needs_proof(
    accounts: tuple[str, ...], registered: object, tmp_path: Path
) -> None:
    made = json.loads(adjudex("key", "new", "gateway", "--data", tmp_path, "--json", *accounts).stdout)
    content = RegisterPrincipal.model_validate_json(json.dumps(made["register"]["content"]))
    assert content.streams == tuple(stream.name for stream in INPUTS if stream.name not in OWNED)
    assert content.accounts == registered


def test_new__prints_the_line_for_people_too(tmp_path: Path) -> None:
    said = adjudex("key", "new", "bot", "--data", tmp_path).stdout.splitlines()
    assert said[0] == "principal       bot"
    assert json.loads(said[-1])["type"] == "principal.register.v1"


def test_root__is_known_from_the_creation_of_a_space(tmp_path: Path) -> None:
    said = adjudex("key", "new", "root", "--data", tmp_path).stdout
    public = json.loads(adjudex("key", "list", "--data", tmp_path, "--json").stdout)["public_key"]
    assert f"adjudex up --root-key {public}" in said
    assert "register" not in said


@pytest.mark.parametrize("name", ["registrar", "treasury"])
def test_owner_of_a_stream__needs_no_key(name: str, tmp_path: Path) -> None:
    ended = adjudex("key", "new", name, "--data", tmp_path)
    assert ended.returncode == 1
    assert f"{name} needs no key: it alone writes" in ended.stderr
    assert not (tmp_path / "keys").exists()


def test_unknown_stream__is_refused_before_a_key_is_made(tmp_path: Path) -> None:
    ended = adjudex("key", "new", "bot", "--stream", "votes", "--data", tmp_path)
    assert ended.returncode == 1
    assert "there is no stream votes" in ended.stderr
    assert not (tmp_path / "keys").exists()


def test_list__names_all_and_refuses_what_is_no_key(tmp_path: Path) -> None:
    assert adjudex("key", "list", "--data", tmp_path).stdout.startswith("no keys in ")
    for name in ("b", "a"):
        adjudex("key", "new", name, "--data", tmp_path)
    listed = [json.loads(line) for line in adjudex("key", "list", "--data", tmp_path, "--json").stdout.splitlines()]
    assert [held["principal"] for held in listed] == ["a", "b"]
    (tmp_path / "keys" / "c.pem").write_text("no key")
    broken = adjudex("key", "list", "--data", tmp_path)
    assert broken.returncode == 1
    assert f"{tmp_path / 'keys' / 'c.pem'} cannot be read" in broken.stderr
