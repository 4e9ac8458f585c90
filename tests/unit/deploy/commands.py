"""Command lines as the program reads them, without anything being done."""

import re
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from services.cli.main import app

_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(adjudex\s[^`]+)`")


def find(arguments: list[str]) -> tuple[Any, Any, list[str]]:
    """Return the command that a command line names, the context around it, and what is left of the line."""
    command: Any = get_command(app)
    context, rest = None, list(arguments)
    while isinstance(command, TyperGroup):
        assert rest, f"{' '.join(arguments)} names a group of commands"
        assert rest[0] in command.commands, f"there is no command {' '.join(arguments)}"
        context, command = typer.Context(command, parent=context), command.commands[rest.pop(0)]
    return command, context, rest


def parse(arguments: list[str]) -> tuple[set[str], dict[str, Any]]:
    """Read a command line: the variables that its command reads, and its options; raises what the program says."""
    command, context, rest = find(arguments)
    known = {option.envvar for option in command.params if option.envvar}
    return known, command.make_context(command.name, rest, parent=context).params


def on_page(page: Path) -> list[str]:
    """Return every `adjudex` command line on a page, in blocks and within sentences."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in _BLOCK.findall(text) for line in re.sub(r"\\\n", " ", block).splitlines()]
    found = [line.strip() for line in lines if line.strip().startswith("adjudex ")]
    return found + [re.sub(r"\s+", " ", command) for command in _INLINE.findall(text)]
