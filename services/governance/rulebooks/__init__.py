"""Rulebook files: reading them, and those that ship. An edge's helper; the decider knows messages only."""

import json
import tomllib
from importlib.resources import files

from pydantic import ValidationError

from schemas.problems import TOML, problems, syntax_problem
from schemas.rulebook import Rulebook

__all__ = ["RulebookError", "parse_rulebook", "read_rulebook", "read_shipped", "shipped"]

_SUFFIX = ".toml"


class RulebookError(ValueError):
    """A rulebook cannot be read; `problems` lists why, one line each, and the message is those lines."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def parse_rulebook(text: str) -> Rulebook:
    """Read a rulebook from TOML.

    Args:
        text: The whole file.

    Returns:
        The rulebook, which meets every rule of `schemas.rulebook`.

    Raises:
        RulebookError: It is not TOML (one problem, with line and column), or not a rulebook (every problem, with its
            path, the value and what would be accepted).
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulebookError(syntax_problem(error, text)) from error
    return read_rulebook(content)


def read_rulebook(content: object) -> Rulebook:
    """Read a rulebook from what a file of it holds; raises RulebookError as `parse_rulebook` does."""
    try:
        # Through JSON, as messages are read: TOML's lists are tuples there, and its dates are texts.
        return Rulebook.model_validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        raise RulebookError(*map(str, problems(error, Rulebook, TOML))) from error


def shipped() -> tuple[str, ...]:
    """List the names of the rulebooks that ship, in order."""
    names = (file.name for file in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def read_shipped(name: str) -> str:
    """Read the text of a rulebook that ships; raises RulebookError when none has that name."""
    if name not in shipped():
        raise RulebookError(f"{name}: no rulebook of that name ships: must be one of {', '.join(shipped())}")
    return (files(__name__) / f"{name}{_SUFFIX}").read_text(encoding="utf-8")
