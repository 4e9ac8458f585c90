"""What a kind of row is: its content, which events touch it, and the pure fold that makes it.

A row is written from one log partition only. Its content is canonical JSON: the fields of its class in the order of
their declaration. Nothing but the records of that partition, in their order, decides what it says, so that a read
model that was thrown away and built again is the same to the last byte.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict

from schemas.envelope import Message
from schemas.instants import Instant


class Meta(NamedTuple):
    """Where an event stands, as a fold sees it; `id` is the row's that is folded.

    `at` is the instant of the decision (milliseconds), `headers` are the record's own.
    """

    id: str
    log: str
    partition: int
    offset: int
    key: str
    at: int
    headers: Mapping[str, bytes]

    @property
    def position(self) -> str:
        """The log record's position: `claims.events/2/154`."""
        return f"{self.log}/{self.partition}/{self.offset}"

    @property
    def subject(self) -> str:
        """The aggregate's id: its key without its kind."""
        return self.key.partition("/")[2]


class Part(BaseModel):
    """Something inside a row: immutable, closed, in canonical order."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=False)


class Row(Part):
    """One row. `changed_at` and `changed_in` name the instant and the log record of its last change."""

    id: str
    changed_at: Instant
    changed_in: str

    def to_bytes(self) -> bytes:
        """Canonical JSON: fields in declaration order, no white space."""
        return self.__pydantic_serializer__.to_json(self)


RowT = TypeVar("RowT", bound=Row)


def base(meta: Meta) -> dict[str, Any]:
    """Return what every row begins with."""
    return {"id": meta.id, "changed_at": meta.at, "changed_in": meta.position}


def change(row: RowT, meta: Meta, **fields: Any) -> RowT:  # noqa: ANN401 - each row has its own fields
    """Return the next version of a row."""
    # As model_copy does, without copying what is replaced at once: most versions of a log are made here.
    following = row.__class__.__new__(row.__class__)
    held = {**row.__dict__, "changed_at": meta.at, "changed_in": meta.position, **fields}
    object.__setattr__(following, "__dict__", held)
    object.__setattr__(following, "__pydantic_fields_set__", row.__pydantic_fields_set__)
    object.__setattr__(following, "__pydantic_extra__", None)
    object.__setattr__(following, "__pydantic_private__", None)
    return following


Keys = Callable[[Any, Meta], Iterable[str]]
"""Which rows an event touches; `Meta.id` is empty here."""
Fold = Callable[[RowT | None, Any, Meta], RowT | None]
"""The row after an event. The same object: no change. None: there is no such row (any more)."""


def by(*names: str) -> Keys:
    """Touch the row whose id are these fields of the event, with slashes between them."""
    if len(names) == 1:
        (name,) = names
        return lambda event, _: (getattr(event, name),)
    return lambda event, _: ("/".join(str(getattr(event, name)) for name in names),)


def by_subject(_: Message, meta: Meta) -> Iterable[str]:
    """Touch the row of the aggregate itself."""
    return (meta.subject,)


class Joined(NamedTuple):
    """Rows of another kind that are shown with one: those whose `filter` is its id."""

    name: str
    kind: str
    filter: str


@dataclass(frozen=True)
class Kind(Generic[RowT]):
    """A declaration: all that the read model, the query API and its documentation need to know of a kind.

    `logs` are the logs it is folded from, `on` the events that touch it, by class; an entry for Message itself is
    asked for every event, before it is read (None). `filters` are fields of the row that can be asked for; `joined` is
    shown with a single row.
    """

    name: str
    row: type[RowT]
    logs: tuple[str, ...]
    on: Mapping[type[Message], Keys]
    fold: Fold[RowT]
    filters: tuple[str, ...] = ()
    joined: tuple[Joined, ...] = field(default=())

    def read(self, body: str | bytes) -> RowT:
        """Read a row's content."""
        return self.row.model_validate_json(body)
