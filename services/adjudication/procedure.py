"""The interpreter of procedures: which stage runs next, and whether an open one takes an input."""

from collections.abc import Sequence

from schemas.envelope import Message
from schemas.rulebook import Stage as Rules
from services.adjudication.stages.registry import STAGES, StageState
from services.adjudication.stages.stage import Ending
from services.kernel.decider import Deadline


def following(procedure: Sequence[Rules], after: int, ending: Ending | None) -> int | None:
    """Return the position of the stage that runs after the one at `after` (-1: before the first), or None.

    A stage that decides always runs, on what was decided before as on what was not. One that only holds an outcome
    runs when there is something to hold: not after a lapse.
    """
    for position in range(after + 1, len(procedure)):
        held = ending is not None and not ending.lapsed
        if held or STAGES[procedure[position].stage].decides:
            return position
    return None


def turn(procedure: Sequence[Rules], position: int) -> int:
    """Count the stages of one kind up to the one at `position`, which is included."""
    return sum(rules.stage == procedure[position].stage for rules in procedure[: position + 1])


def takes(state: StageState, content: Message | Deadline) -> bool:
    """Tell whether an open stage decides on an input: one of its types, or a deadline that it still lists."""
    stage = STAGES[state.stage]
    if isinstance(content, Deadline):
        return content in stage.deadlines(state)
    return isinstance(content, stage.inputs)
