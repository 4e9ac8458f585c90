"""Golden bytes: a stored example of every version of every message, which is read for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from tools.schemas import catalogue
from tools.schemas.lock import Lock, is_firm
from tools.schemas.samples import samples


class Golden(NamedTuple):
    """One example as it was stored."""

    wire: str
    value: str


def load(file: Path) -> list[Golden]:
    """Read every example; none when there is no file."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [Golden(read["type"], read["value"]) for read in map(json.loads, lines)]


def grown(stored: list[Golden], lock: Lock) -> list[Golden]:
    """Return the examples with new ones for messages that have none; those of released messages are never touched."""
    kept = [golden for golden in stored if is_firm(lock, golden.wire) or golden.wire not in catalogue.messages()]
    have = {golden.wire for golden in kept}
    for wire, model in catalogue.messages().items():
        if wire not in have:
            values = samples(model, written=catalogue.is_written(model))
            kept += [Golden(wire, value) for value in dict.fromkeys(values)]
    return sorted(kept, key=lambda golden: golden.wire)


def spell(examples: list[Golden]) -> str:
    """Spell examples as the file does."""
    lines = (json.dumps({"type": wire, "value": value}, ensure_ascii=False) for wire, value in examples)
    return "".join(f"{line}\n" for line in lines)
