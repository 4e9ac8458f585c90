"""Check that nothing we depend on binds us to a copyleft licence.

Reads the names in ``requirements/*.txt`` and what each installed distribution says of its own licence.

* GPL, LGPL and AGPL are refused everywhere, unless the distribution offers a permissive alternative.
* MPL-2.0 and its like bind only the files of the distribution itself. They are fine for tools that we use and
  never ship (hypothesis and pathspec in ``dev.txt``), but not in ``runtime.txt``.
* A distribution that states no licence is refused: somebody has to look.
"""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
SHIPPED = "runtime.txt"

STRONG = re.compile(r"\b[AL]?GPL|GNU .*General Public|Affero", re.IGNORECASE)
WEAK = re.compile(r"\bMPL|Mozilla Public|\bEPL|Eclipse Public|\bCDDL|\bEUPL", re.IGNORECASE)
WORD = re.compile(r"[()]|[^\s()]+")


def main() -> int:
    """Check every requirement; return the exit status."""
    shipped = pinned(REQUIREMENTS / SHIPPED)
    names = shipped.union(*(pinned(path) for path in REQUIREMENTS.glob("*.txt")))
    problems: list[str] = []
    checked = 0
    for name in sorted(names):
        try:
            described = metadata.metadata(name)
        except metadata.PackageNotFoundError:  # pinned for another platform or Python version
            continue
        checked += 1
        offers = alternatives(
            *described.get_all("License-Expression", []),
            classifiers=described.get_all("Classifier", []),
            text="".join(described.get_all("License", [])),
        )
        if complaint := objection(offers, is_shipped=name in shipped):
            problems.append(f"{name} {described['Version']}: {complaint}")
    for problem in problems:
        print(f"licences: {problem}", file=sys.stderr)
    if not checked:
        print("licences: none of the requirements is installed; run make setup", file=sys.stderr)
        return 1
    if not problems:
        print(f"licences: {checked} distributions checked, none objectionable")
    return 1 if problems else 0


def pinned(path: Path) -> set[str]:
    """Return the names that a compiled requirements file pins."""
    return set(re.findall(r"^([A-Za-z0-9][\w.-]*)==", path.read_text(encoding="utf-8"), re.MULTILINE))


def alternatives(expression: str = "", *, classifiers: list[str], text: str) -> list[frozenset[str]]:
    """Return the licences on offer: one alternative is enough, but all of its terms hold together."""
    if expression:
        return parse(WORD.findall(expression))
    # Several classifiers are, by convention, a choice.
    named = [value.rsplit(" :: ", 1)[-1] for value in classifiers if value.startswith("License :: ")]
    if stated := [frozenset({name}) for name in named if name != "OSI Approved"]:
        return stated
    first_line = next(iter(text.strip().splitlines()), "")
    return [frozenset({first_line})] if first_line not in {"", "UNKNOWN"} else []


def parse(words: list[str]) -> list[frozenset[str]]:
    """Return the alternatives of an SPDX expression, consuming its words up to a closing bracket."""
    offers: list[frozenset[str]] = []
    together = [frozenset[str]()]
    while words:
        word = words.pop(0)
        if word == ")":
            break
        if word.upper() == "OR":
            offers += together
            together = [frozenset()]
        elif word.upper() == "WITH":  # an exception only ever adds permissions
            words.pop(0)
        elif word.upper() != "AND":
            terms = parse(words) if word == "(" else [frozenset({word})]
            together = [left | right for left in together for right in terms]
    return offers + together


def objection(offers: list[frozenset[str]], *, is_shipped: bool) -> str | None:
    """Return why none of the offers is acceptable, or None when one is."""
    if not offers:
        return "states no licence"
    complaints = [complaint for terms in offers if (complaint := refused(terms, is_shipped=is_shipped))]
    return "; ".join(complaints) if len(complaints) == len(offers) else None


def refused(terms: frozenset[str], *, is_shipped: bool) -> str | None:
    """Return why the terms of one alternative are not acceptable together, or None when they are."""
    for term in sorted(terms):
        if STRONG.search(term):
            return f"{term} is copyleft and no permissive alternative is offered"
        if is_shipped and WEAK.search(term):
            return f"{term} is fine for development tools, but {SHIPPED} is shipped"
    return None


if __name__ == "__main__":
    sys.exit(main())
