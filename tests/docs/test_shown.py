"""What pages show of the terminal is what it prints."""

import re
from pathlib import Path

import pytest

from tests.docs.test_pages import ROOT
from tests.support.command import adjudex

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _blocks(page: Path, title: str, language: str = "") -> list[str]:
    """Return the blocks of a section of a page that are in a language; what a terminal shows is in none."""
    section = page.read_text(encoding="utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [text for held, text in _BLOCK.findall(section) if held == language]


def _is_printed(shown: str, printed: str) -> None:
    """Hold every line that is shown against what was printed: one that ends with … only to there."""
    lines = {line.rstrip() for line in printed.splitlines()}
    for line in filter(None, map(str.rstrip, shown.splitlines())):
        begins = line.removesuffix("…")
        assert line in lines or (begins != line and any(one.startswith(begins) for one in lines)), line


def test_readme__shows_the_demonstration() -> None:
    blocks = _blocks(ROOT / "README.md", "What you see")
    assert len(blocks) == 2
    printed = adjudex("demo", environment={"COLUMNS": "100"}).stdout
    for shown in blocks:
        _is_printed(shown, printed)


def test_scenarios__the_first_one_prints_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, title = ROOT / "docs" / "scenarios.md", "The first one"
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(_blocks(page, title, "toml")[0], encoding="utf-8")
    (shown,) = _blocks(page, title)
    command, _, rest = shown.partition("\n")
    assert command == "$ adjudex simulate mine.toml"
    _is_printed(rest, adjudex("simulate", "mine.toml", environment={"COLUMNS": "100"}).stdout)
