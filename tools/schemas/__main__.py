"""The command: see the package."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from schemas.envelope import upcasts
from services.cli.scenario.schema import scenario_schema_text
from tools.schemas import __doc__ as about
from tools.schemas import asyncapi, golden, lock
from tools.schemas.models import DIALECT

ROOT = Path(__file__).resolve().parents[2]
_LINES_MAX = 40


class Tree:
    """Where everything is in a working tree."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.generated = root / "schemas" / "generated"
        self.messages = self.generated / "messages"
        self.lock = self.generated / "lock.json"
        self.golden = root / "tests" / "golden" / "messages.jsonl"

    @property
    def version(self) -> str:
        """The version of the project."""
        read = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))
        version: str = read["project"]["version"]
        return version

    def held(self) -> lock.Lock:
        """Read the lock; an empty one when there is none."""
        held: lock.Lock = json.loads(self.lock.read_text(encoding="utf-8")) if self.lock.exists() else lock.EMPTY
        return held

    def files(self, held: lock.Lock) -> dict[Path, str]:
        """Return what every generated file must hold, the lock aside."""
        drawn = {wire: schema for wire, (_, schema) in lock.today().messages.items()}
        for wire in upcasts():
            # No class is left of it: the lock knows what it was.
            if wire in held["messages"]:
                head = {"$schema": DIALECT, "$id": f"urn:adjudex:{wire}", "title": wire, "deprecated": True}
                drawn[wire] = head | held["messages"][wire]["schema"]
        files = {self.messages / f"{wire}.json": _spell(schema) for wire, schema in drawn.items()}
        return files | {
            self.generated / "asyncapi.json": _spell(asyncapi.document(self.version)),
            self.generated / "scenario.schema.json": scenario_schema_text(),
        }

    def write(self, held: lock.Lock) -> None:
        """Write the generated files, and remove those that nothing has the name of any more."""
        files = self.files(held)
        self.messages.mkdir(parents=True, exist_ok=True)
        for file in self.messages.glob("*.json"):
            if file not in files:
                file.unlink()
        for file, content in files.items():
            file.write_text(content, encoding="utf-8")

    def stale(self, held: lock.Lock) -> list[str]:
        """Say what differs between the code and the generated files."""
        files = self.files(held)
        unknown = [file for file in sorted(self.messages.glob("*.json")) if file not in files]
        found = [f"{file.relative_to(self.root)}: no message has this name" for file in unknown]
        for file, content in files.items():
            stored = file.read_text(encoding="utf-8") if file.exists() else ""
            if stored != content:
                found.append(_difference(str(file.relative_to(self.root)), stored, content))
        return [*found, "`python -m tools.schemas` writes the files anew"] if found else []


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.schemas", description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("check", "lock", "release", "golden"):
        parser.add_argument(f"--{name}", action="store_true")
    asked, tree = parser.parse_args(arguments), Tree(root)
    held, contract = tree.held(), lock.today()
    found = lock.findings(held, contract)
    if asked.check:
        return _told([*tree.stale(held), *map(str, found)])
    if asked.lock or asked.release:
        wrong = [str(finding) for finding in found if finding.firm or asked.release]
        if wrong:
            return _told(wrong)
        held = lock.released(held, tree.version) if asked.release else lock.taken(held, contract, tree.version)
        tree.lock.parent.mkdir(parents=True, exist_ok=True)
        tree.lock.write_text(_spell(held), encoding="utf-8")
    if asked.golden:
        tree.golden.parent.mkdir(parents=True, exist_ok=True)
        tree.golden.write_text(golden.spell(golden.grown(golden.load(tree.golden), held)), encoding="utf-8")
    tree.write(held)
    return 0


def _spell(content: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _difference(name: str, stored: str, content: str) -> str:
    lines = list(difflib.unified_diff(stored.splitlines(), content.splitlines(), name, "the code", lineterm="", n=2))
    left = len(lines) - _LINES_MAX
    return "\n".join([*lines[:_LINES_MAX], *([f"… and {left} lines more"] if left > 0 else [])])


def _told(problems: list[str]) -> int:
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print("schemas: the files are as the code has them, and nothing breaks a reader")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
