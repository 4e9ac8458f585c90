"""Whether an answer contains what is expected, and where it does not."""

from typing import Any, NamedTuple

ANYTHING = "…"
"""At the beginning or the end of an expected text: anything may stand there; alone: any value at all."""


class Missing:
    """What is not there."""

    def __repr__(self) -> str:
        """Say so."""
        return "(not there)"


MISSING = Missing()


class Difference(NamedTuple):
    """One place where they differ, with both values."""

    path: str
    expected: Any
    actual: Any


def differences(expected: Any, actual: Any, path: str = "") -> list[Difference]:  # noqa: ANN401 - JSON
    """List where `actual` does not contain `expected`.

    Of an object each expected field must be there and fit; a list must be as long, and fit entry by entry; anything
    else must be equal. Expected text may leave its beginning or end open with `…`.
    """
    if isinstance(expected, dict) and isinstance(actual, dict):
        found = []
        for name, held in expected.items():
            found += differences(held, actual.get(name, MISSING), _at(path, name))
        return found
    if isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            return [Difference(path, expected, actual)]
        pairs = enumerate(zip(expected, actual, strict=True))
        return [held for number, (one, other) in pairs for held in differences(one, other, _at(path, number))]
    return [] if _fits(expected, actual) else [Difference(path, expected, actual)]


def _at(path: str, part: str | int) -> str:
    return f"{path}.{part}" if path else str(part)


def _fits(expected: Any, actual: Any) -> bool:  # noqa: ANN401
    if expected == ANYTHING:
        return actual is not MISSING
    if isinstance(expected, str) and isinstance(actual, str):
        before, after = expected.startswith(ANYTHING), expected.endswith(ANYTHING)
        text = expected.removeprefix(ANYTHING).removesuffix(ANYTHING)
        if before and after:
            return text in actual
        if before:
            return actual.endswith(text)
        return actual.startswith(text) if after else actual == text
    return type(expected) is type(actual) and bool(expected == actual)
