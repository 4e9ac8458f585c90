"""Hypothesis strategies for messages, read off their models.

Ids and amounts come from small pools, so that messages drawn apart hit each other; what a field means to others is
said by its name, the rest follows from its type.
"""

from collections.abc import Mapping
from functools import partial
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from hypothesis import strategies as st
from pydantic import BeforeValidator, StringConstraints, ValidationError
from pydantic.fields import FieldInfo

from schemas.envelope import Message
from schemas.ids import AccountId, AssetId, CaseId, ClaimId, Name, PayoutId, RulebookId, Sha256
from schemas.instants import DAY, Duration, Instant
from schemas.money import AmountMinor

BASE = 20_000 * DAY
"""Around here the instants lie that messages name."""
ACCOUNTS = tuple(f"eip155:1:0x{number:040x}" for number in range(1, 6))
USDC = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
DAI = "eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f"


def mostly(usual: object, *others: object) -> st.SearchStrategy[Any]:
    """Draw what fits together two times out of three."""
    return st.sampled_from([usual] * 2 * len(others) + list(others)) if others else st.just(usual)


_HOUR = 3_600_000
BY_TYPE: dict[object, st.SearchStrategy[Any]] = {
    Instant: st.sampled_from([0, _HOUR, DAY, 3 * DAY, 40 * DAY]).map(lambda offset: BASE + offset),
    Duration: st.sampled_from([0, _HOUR, 12 * _HOUR, DAY, 3 * DAY]),
    AmountMinor: st.sampled_from([0, 1, 60, 100, 2**255]),
    AccountId: st.sampled_from(ACCOUNTS),
    AssetId: mostly(USDC, DAI),
    Name: mostly("a", "b"),
    ClaimId: mostly("C/1", "C/2", "D/1"),
    PayoutId: mostly("C/1/1", "C/2/1"),
    CaseId: mostly("claim/C/1", "claim/C/2", "incident/P/1", "incident/P/2"),
    RulebookId: mostly("house@1", "house@2"),
    Sha256: st.sampled_from(["0" * 64, "1" * 64]),
}
"""By the annotation itself, or by what marks it: its validator, or its pattern."""
BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "product": mostly("P", "Q"),
    "cover": mostly("C", "D"),
    "incident": mostly("P/1", "P/2", "Q/1"),
    "scope": mostly("main", "test"),
    "holder": mostly(*ACCOUNTS[:2]),
    "claimant": mostly(*ACCOUNTS[:2]),
    "attempt": mostly(1, 2, 3),
    "public_key": mostly("11" * 32, "22" * 32),
    "media_type": st.just("text/plain"),
    "streams": mostly(("incident.reports",), ("*",), ("claim.filings", "nonsense")),
    "accounts": mostly((), "*", ACCOUNTS[:2]),
}


def _mark(annotation: object) -> object:
    """Return by what an annotation is known again once pydantic has taken it apart."""
    for part in get_args(annotation)[1:]:
        if isinstance(part, BeforeValidator):
            return part.func
        if isinstance(part, StringConstraints):
            return part.pattern
    return annotation


_MARKED = {_mark(annotation): strategy for annotation, strategy in BY_TYPE.items()}


def messages(
    model: type[Message], overrides: Mapping[object, st.SearchStrategy[Any]] | None = None
) -> st.SearchStrategy[Any]:
    """Draw valid messages of a model; `overrides` are strategies by field name, or by model."""
    known = overrides or {}
    if model in known:
        return known[model]
    fields = {name: _field(name, field, known) for name, field in model.model_fields.items()}
    return st.fixed_dictionaries(fields).map(partial(_valid, model)).filter(lambda drawn: drawn is not None)


def _valid(model: type[Message], fields: dict[str, Any]) -> Message | None:
    try:
        return model.model_validate(fields)
    except ValidationError:
        return None


def _field(name: str, field: FieldInfo, known: Mapping[object, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    if name in known:
        return known[name]
    if name in BY_NAME and not _is_message(field.annotation):
        return BY_NAME[name]
    return _typed(field.annotation, field.metadata, known)


def _is_message(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Message)


def _typed(  # noqa: PLR0911 - one return for each kind of type
    annotation: Any,  # noqa: ANN401 - whatever stands in a model
    metadata: list[Any],
    known: Mapping[object, st.SearchStrategy[Any]],
) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _typed(arguments[0], [*arguments[1:], *metadata], known)
    for part in metadata:
        mark = part.func if isinstance(part, BeforeValidator) else getattr(part, "pattern", None)
        if mark in _MARKED:
            return _MARKED[mark].filter(partial(_within, metadata))
    if origin in (Union, UnionType):
        return st.one_of([_typed(argument, [], known) for argument in arguments])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        shortest = max((part.min_length for part in metadata if isinstance(part, MinLen)), default=0)
        longest = min((part.max_length for part in metadata if isinstance(part, MaxLen)), default=2)
        return st.lists(_typed(arguments[0], [], known), min_size=shortest, max_size=min(longest, 2)).map(tuple)
    if origin is dict:
        return st.dictionaries(_typed(arguments[0], [], known), _typed(arguments[1], [], known), max_size=2)
    if _is_message(annotation):
        return messages(annotation, known)
    return _PLAIN[annotation].filter(partial(_within, metadata))


_PLAIN: dict[object, st.SearchStrategy[Any]] = {
    NoneType: st.none(),
    bool: st.booleans(),
    int: st.sampled_from([0, 1, 2, 5, 500, 5_000, 10_000]),
    str: st.sampled_from(["a", "b", "§ 4"]),
}


def _within(metadata: list[Any], value: Any) -> bool:  # noqa: ANN401 - numbers and texts
    for part in metadata:
        if isinstance(part, Ge) and not value >= part.ge:
            return False
        if isinstance(part, Gt) and not value > part.gt:
            return False
        if isinstance(part, Le) and not value <= part.le:
            return False
    return True
