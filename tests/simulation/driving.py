"""Running what is asynchronous but never waits: the world answers at once."""

from collections.abc import Coroutine
from typing import Any, TypeVar

Answer = TypeVar("Answer")


def drive(coroutine: Coroutine[Any, Any, Answer]) -> Answer:
    """Run a coroutine to its end."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        answer: Answer = stop.value
        return answer
    raise AssertionError("it waits")
