"""The command around generated files and lock: what it writes, what it finds, what it refuses."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.envelope import upcasts
from tests.support import stamped
from tools.schemas import lock
from tools.schemas.__main__ import ROOT, main
from tools.schemas.models import Schema

_OLDEST = "coin.stamped.v1"
assert stamped.CoinStamped.wire == "coin.stamped.v3", "whose event has two older shapes"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of today's contract: generated, locked and released."""
    root = tmp_path_factory.mktemp("tree")
    (root / "pyproject.toml").write_text('[project]\nversion = "1.0.0"\n')
    assert main(["--lock", "--golden"], root) == 0
    assert main(["--release"], root) == 0
    return root


@pytest.fixture
def tree(written: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    return tmp_path


def _lock(root: Path) -> Path:
    return root / "schemas" / "generated" / "lock.json"


def _change(root: Path, wire: str, change: Callable[[Schema], None]) -> None:
    held = json.loads(_lock(root).read_text())
    change(held["messages"][wire]["schema"])
    _lock(root).write_text(json.dumps(held))


def test_the_check_is_content__when_nothing_changed(tree: Path) -> None:
    assert main(["--check"], tree) == 0


def test_the_check_shows_the_difference__when_a_file_is_not_as_the_code(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tree / "schemas" / "generated" / "messages" / "claim.file.v1.json"
    file.write_text(file.read_text().replace('"claimant"', '"claimer"'))
    (file.parent / "claim.forgotten.v1.json").write_text("{}")
    assert main(["--check"], tree) == 1
    said = capsys.readouterr().err
    assert '-    "claimer": {' in said
    assert '+    "claimant": {' in said
    assert "claim.forgotten.v1.json: no message has this name" in said
    assert main([], tree) == 0
    assert main(["--check"], tree) == 0
    assert not (file.parent / "claim.forgotten.v1.json").exists()


def test_a_broken_reader_is_refused__when_the_message_is_released(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def with_one_more(schema: Schema) -> None:
        schema["properties"]["memo"] = {"type": "string"}

    _change(tree, "claim.file.v1", with_one_more)
    for arguments in (["--check"], ["--lock"]):
        assert main(arguments, tree) == 1
        said = capsys.readouterr().err
        assert "claim.file.v1: memo: field removed. It is released: put a new version beside it" in said


def test_the_lock_follows__while_nothing_is_released(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = json.loads(_lock(tree).read_text()) | {"releases": []}
    held["messages"]["claim.file.v1"]["schema"]["properties"]["memo"] = {"type": "string"}
    _lock(tree).write_text(json.dumps(held))
    assert main(["--check"], tree) == 1
    assert "claim.file.v1: memo: field removed. It was never released" in capsys.readouterr().err
    assert main(["--release"], tree) == 1
    assert main(["--lock"], tree) == 0
    assert main(["--check"], tree) == 0


def test_a_message_that_nothing_reads_is_found__when_it_was_released(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = json.loads(_lock(tree).read_text())
    held["messages"]["claim.lost.v1"] = held["messages"]["claim.file.v1"]
    held["streams"]["claim.filings"].append("claim.lost.v1")
    _lock(tree).write_text(json.dumps(held))
    assert main(["--lock"], tree) == 1
    said = capsys.readouterr().err
    assert "claim.lost.v1: nothing reads it any more" in said
    assert "claim.filings: claim.lost.v1 is no longer taken" in said


def test_a_new_message_is_asked_into_the_lock(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = json.loads(_lock(tree).read_text())
    del held["messages"]["claim.file.v1"]
    _lock(tree).write_text(json.dumps(held))
    assert main(["--check"], tree) == 1
    assert "claim.file.v1: it is new, and not in the lock" in capsys.readouterr().err
    (tree / "pyproject.toml").write_text('[project]\nversion = "1.1.0"\n')
    assert main(["--lock"], tree) == 0
    held = json.loads(_lock(tree).read_text())
    assert held["messages"]["claim.file.v1"]["since"] == "1.1.0"
    assert not lock.is_firm(held, "claim.file.v1")
    assert lock.is_firm(held, "claim.filed.v1")


def test_a_version_that_only_an_upcast_reads__stays_among_the_files_as_deprecated(tree: Path) -> None:
    held = json.loads(_lock(tree).read_text())
    assert _OLDEST in upcasts()
    held["messages"][_OLDEST] = {**held["messages"]["claim.filed.v1"], "role": "event"}
    _lock(tree).write_text(json.dumps(held))
    assert main(["--lock"], tree) == 0
    assert json.loads(_lock(tree).read_text())["messages"].keys() >= {_OLDEST}
    assert main(["--check"], tree) == 0
    schema = json.loads((tree / "schemas" / "generated" / "messages" / f"{_OLDEST}.json").read_text())
    assert schema["deprecated"] is True
    assert schema["title"] == _OLDEST


def test_golden_bytes_are_kept__when_their_message_is_released(tree: Path) -> None:
    file = tree / "tests" / "golden" / "messages.jsonl"
    spoilt = file.read_text().replace("curve-lp", "other-lp")
    file.write_text(spoilt)
    assert main(["--golden"], tree) == 0
    assert file.read_text() == spoilt
    held = json.loads(_lock(tree).read_text()) | {"releases": []}
    _lock(tree).write_text(json.dumps(held))
    assert main(["--golden"], tree) == 0
    assert "other-lp" not in file.read_text()


def test_generated_files_of_this_tree_are_as_the_code_has_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"], ROOT) == 0, capsys.readouterr().err
