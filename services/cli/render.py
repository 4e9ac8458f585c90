"""How outcomes, instructions and messages read."""

from schemas.envelope import Position
from schemas.instants import format_instant
from schemas.outcomes import InputOutcome, NextStep, PayoutInstruction
from services.cli.console import printable, wrapped

_LABEL = 11
"""Columns of the first word of a line."""
_NAME = 10
"""Columns of the name of a detail."""


def detail(name: str, text: str) -> list[str]:
    """Lay out one detail of the line above it."""
    return wrapped(name, text, indent=_LABEL, width=_NAME)


def headline(label: str, text: str) -> list[str]:
    """Lay out what something is."""
    return wrapped(label, text, width=_LABEL)


def place(position: str) -> str:
    """Shorten a position by its incarnation: in one space's log that says nothing to a reader."""
    try:
        topic, _, partition, offset = Position.parse(position)
    except ValueError:
        return position
    return f"{topic}/{partition}/{offset}"


def next_step(step: NextStep) -> list[str]:
    """Lay out what happens next, and when."""
    due = f"; by {format_instant(step.due_at)}" if step.due_at is not None else ""
    return detail("next", f"{step.step}{due}")


def outcome(content: InputOutcome) -> list[str]:
    """Lay out what became of an input."""
    about = f"{content.input_id}  {content.key}"
    match content.fate:
        case "decided":
            lines = headline("decided", f"{about}  {', '.join(content.events)}")
        case "refused" if content.refusal is not None:
            refusal = content.refusal
            lines = headline("refused", f"{about}  {refusal.rule}")
            lines += [*detail("value", refusal.value), *detail("accepted", refusal.accepted)]
            if refusal.not_before is not None:
                lines += detail("from", format_instant(refusal.not_before))
        case "duplicate":
            lines = headline("duplicate", f"{content.input_id}  of {place(content.of or '')}, which was decided before")
        case fate:
            lines = headline(fate, f"{about}  {content.reason or place(content.position)}")
    return [*lines, *(next_step(content.next) if content.next else ())]


def instruction(content: PayoutInstruction) -> list[str]:
    """Lay out a payout instruction."""
    what = f"{content.reference}, attempt {content.attempt}: {content.amount_minor} of {content.asset}"
    return [*headline("instruct", what), *detail("to", content.recipient)]


def value_text(value: bytes | None) -> str:
    """Spell the bytes of a value: as text where they are, else in base 16."""
    if value is None:
        return "(no value)"
    try:
        return printable(value.decode())
    except UnicodeDecodeError:
        return f"hex {value.hex()}"
