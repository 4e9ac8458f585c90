"""`adjudex rulebook`: checking rulebook files, showing them, and what differs between two."""

import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from schemas.rulebook import Ballot, Rulebook
from services.cli.console import FINDINGS, FINE, Console, OperationRefusedError, table, wrapped
from services.governance.changes import changes
from services.governance.rulebooks import RulebookError, parse_rulebook, read_shipped, shipped


def lint(files: Sequence[Path], console: Console) -> int:
    """Check files; returns the exit code, 1 where one is no rulebook. Notes are no faults."""
    code = FINE
    for path in files:
        try:
            rulebook = parse_rulebook(_text(path))
        except RulebookError as error:
            code = FINDINGS
            lines = [line for problem in error.problems for line in wrapped("  ", problem)]
            console.put({"file": str(path), "problems": error.problems}, f"{path}: no rulebook", *lines)
            continue
        notes = list(_notes(rulebook))
        lines = [line for note in notes for line in wrapped("  note  ", note)]
        content = {"file": str(path), "rulebook": rulebook.id, "sha256": digest(rulebook), "notes": notes}
        console.put({**content, "problems": []}, f"{path}: {rulebook.id} is fine", *lines)
    return code


def show(name: str, console: Console) -> int:
    """Show a rulebook: every value by its path, and the hash that covers pin."""
    rulebook = find(name)
    content = orjson.loads(rulebook.to_bytes())
    rows = [(path, value) for path, value in _flat(content) if path not in ("name", "version", "title")]
    width = max(len(path) for path, _ in rows) + 2
    console.put(
        {"rulebook": rulebook.id, "sha256": digest(rulebook), "content": content},
        rulebook.id,
        *wrapped("", rulebook.title),
        f"sha256 {digest(rulebook)}",
        "",
        *(line for path, value in rows for line in wrapped(path, value, width=width)),
    )
    return FINE


def diff(one: str, other: str, console: Console) -> int:
    """Say what differs from one rulebook to another; returns 1 where anything does."""
    before, after = find(one), find(other)
    found = changes(before, after)
    names = table([("from", before.id, f"sha256 {digest(before)}"), ("to", after.id, f"sha256 {digest(after)}")])
    lines = [line for change in found for line in wrapped("  ", change)]
    content = {"from": before.id, "to": after.id, "changes": list(found)}
    console.put(content, *names, *(lines or ["  nothing differs besides the version"]))
    return FINDINGS if found else FINE


def find(name: str) -> Rulebook:
    """Read a rulebook that ships, or a file; raises OperationRefusedError."""
    is_file = name.endswith(".toml") or os.sep in name
    try:
        return parse_rulebook(_text(Path(name)) if is_file else read_shipped(name))
    except RulebookError as error:
        if not is_file and name not in shipped():
            todo = f"name one of {', '.join(shipped())}, or a file (its name ends in .toml)"
            raise OperationRefusedError(f"no rulebook of the name {name} ships", todo) from None
        first = error.problems[0]
        raise OperationRefusedError(f"{name}: {first}", "`adjudex rulebook lint` lists every problem") from None


def digest(rulebook: Rulebook) -> str:
    """Return the hash that covers pin: sha256 of the canonical bytes."""
    return sha256(rulebook.to_bytes()).hexdigest()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RulebookError(f"it is not UTF-8 text: {error}") from error
    except OSError as error:
        raise OperationRefusedError(f"{path} cannot be read: {error.strerror}", "name a rulebook file") from None


def _flat(content: Any, path: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """List every value by its path."""
    entries: list[tuple[str, Any]] = []
    if isinstance(content, dict):
        entries = [(str(name), held) for name, held in content.items()]
    elif isinstance(content, list) and any(isinstance(held, dict) for held in content):
        entries = [(str(number), held) for number, held in enumerate(content)]
    for name, held in entries:
        yield from _flat(held, f"{path}.{name}" if path else name)
    if not entries and content is not None:
        yield path, content if isinstance(content, str) else orjson.dumps(content).decode()


def _notes(rulebook: Rulebook) -> Iterator[str]:
    """Say what is allowed, but rarely meant."""
    claim = rulebook.claim
    if claim.settlement is None:
        yield "claim.settlement: missing: no pool can sell cover under these rules"
    elif claim.settlement.cut_off <= claim.intake.not_before:
        yield (
            "claim.settlement.cut_off: not after claim.intake.not_before: of an incident that is confirmed at once "
            "nobody can claim"
        )
    if rulebook.halt is None:
        yield "halt: missing: nobody can halt a product with these rules"
    if rulebook.incident.alarm is None:
        yield "incident.alarm: missing: no report stops sales and exits before it is decided"
    for subject, procedure in (("incident", rulebook.incident.procedure), ("claim", claim.procedure)):
        for place, stage in enumerate(procedure):
            if isinstance(stage, Ballot):
                yield from _ballot_notes(f"{subject}.procedure.{place}", stage)


def _ballot_notes(path: str, stage: Ballot) -> Iterator[str]:
    if stage.early_close is not None and stage.early_close.after >= stage.window:
        yield f"{path}.early_close.after: not before the window's end: the vote never closes early"
    if "providers" not in stage.excluded and stage.provider_share_bps:
        yield f"{path}.provider_share_bps: means nothing while excluded does not list providers"
    if "claimant" not in stage.excluded:
        yield f"{path}.excluded: without claimant: a claimant may vote on the own claim"
    if stage.incentives is not None and not stage.incentives.wrong_bps:
        yield f"{path}.incentives.wrong_bps: 0: nothing is lost, and so nothing won"
