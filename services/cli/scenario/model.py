"""The form of a scenario file, and reading one. `docs/scenarios.md` explains it to whoever writes them."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, ValidationError
from pydantic_core import PydanticCustomError

from schemas.envelope import Event, Input, registered
from schemas.ids import CoverId, Name, PoolId, ProductId
from schemas.instants import Duration, Instant, format_duration, parse_duration, parse_instant
from schemas.money import AMOUNT_MINOR_MAX
from schemas.outcomes import InputOutcome, Refusal
from schemas.problems import TOML, problems, shown, syntax_problem
from schemas.topics import INPUTS
from services.cli.scenario.compare import ANYTHING
from services.registry import decision_services

START = parse_instant("2026-03-02T09:00:00Z")
"""When a scenario starts that does not say so."""
SETUP_BEFORE = parse_duration("100d")
"""How long before the start governance sets the space up; what is given as of then is there from then on."""
TYPES: dict[str, tuple[str, type[Input]]] = {
    model.wire: (stream.name, model) for stream in INPUTS for model in stream.types
}
"""The type of every public input, with the stream that takes it."""
FATES: tuple[str, ...] = get_args(InputOutcome.model_fields["fate"].annotation)
"""What can become of an input."""


Content = dict[str, Any]
"""JSON as it is posted or answered, with names in braces."""


class ScenarioError(ValueError):
    """A file that is no scenario: `problems` lists why, each `file: path: value: what is accepted`."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _offset(value: Any) -> int:  # noqa: ANN401 - a validator is handed anything
    if type(value) is str and value[:1] == "+":
        try:
            return parse_duration(value[1:])
        except ValueError:
            pass
    kind, message = "offset", "must be a span after the start, such as +0s, +3d1h or +90m"
    raise PydanticCustomError(kind, message)


def _units(value: Any) -> int:  # noqa: ANN401
    text = str(value) if type(value) is int else value
    digits = text.replace("_", "") if type(text) is str else ""
    if digits.isascii() and digits.isdigit() and int(digits) <= AMOUNT_MINOR_MAX:
        return int(digits)
    kind, message = "units", "must be whole base units, such as 150000 or 150_000"
    raise PydanticCustomError(kind, message)


Offset = Annotated[int, BeforeValidator(_offset, json_schema_input_type=str)]
"""Milliseconds after the start; `+3d1h` in the file."""
Units = Annotated[int, BeforeValidator(_units, json_schema_input_type=int | str)]
"""Base units of the asset."""


class Part(BaseModel):
    """A table of the file: nothing it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


class RulebookPart(Part):
    """Which rulebook products have: one that ships, or a file, with changes.

    `changes` has the rulebook's own shape; a place in a list is its number from 0 (`claim.procedure.0.window`).
    `without` names paths that are left away.
    """

    name: str | None = Field(None, description="The name of a rulebook that ships. [default: house]")
    file: str | None = Field(None, description="A rulebook file, as seen from the scenario's folder.")
    changes: Content = Field(default_factory=dict, description="What differs, in the rulebook's own shape.")
    without: tuple[str, ...] = Field((), description="Paths that are left away, such as claim.procedure.0.early_close.")


class StakeTermsPart(Part):
    """What assessors put at stake."""

    stake_min: Units = Field(1, description="The least stake, in base units.")
    notice: Duration = Field(parse_duration("7d"), description="How long stake waits before it leaves.")


class AssessorPart(Part):
    """Somebody who registers as an assessor and puts in a stake."""

    name: Name
    stake: Units = Field(description="In base units; 0: registered, without a stake.")
    linked: tuple[Name, ...] = Field((), description="Names whose accounts are linked to it.")
    interests: tuple[ProductId, ...] = Field((), description="Products it declares an interest in.")


class CapitalPart(Part):
    """A deposit into a pool."""

    provider: Name
    tranche: Literal["junior", "senior"]
    amount: Units


class PoolPart(Part):
    """A pool that governance opens, and the capital that providers put in."""

    pool: PoolId
    title: str | None = None
    terms: Content = Field(default_factory=dict, description="What differs from the terms in docs/scenarios.md.")
    capital: tuple[CapitalPart, ...] = ()


class ProductPart(Part):
    """A product that governance lists, under the scenario's rulebook."""

    product: ProductId
    title: str | None = None
    peril: str = "smart-contract exploit"
    pool: PoolId | None = Field(None, description="The pool that sells its cover; without one, covers are registered.")
    dependencies: tuple[Name, ...] = ()
    alarm_weight: Annotated[int, Field(ge=1)] | None = None


class CoverPart(Part):
    """A cover: sold by the product's pool, which names it `<pool>.<n>`, or registered under the name it has here."""

    holder: Name
    product: ProductId
    amount: Units
    period: Duration = Field(parse_duration("365d"), description="How long it lasts.")
    age: Duration = Field(parse_duration("60d"), description="How long before the start it begins; less than 100d.")
    cover: CoverId | None = Field(None, description="The id of one that is registered.")


class Given(Part):
    """What is there at the start: each entry stands for public inputs that are posted before it."""

    bots: tuple[Name, ...] = Field((), description="Principals that may report incidents.")
    guardians: tuple[Name, ...] = Field((), description="Principals in the group guardians, who may halt products.")
    people: tuple[Name, ...] = Field((), description="Further names that stand for accounts.")
    stake_terms: StakeTermsPart = Field(default_factory=StakeTermsPart)
    assessors: tuple[AssessorPart, ...] = ()
    pools: tuple[PoolPart, ...] = ()
    products: tuple[ProductPart, ...] = ()
    covers: tuple[CoverPart, ...] = ()


class StepPart(Part):
    """What every step has."""

    at: Offset = Field(description="When, counted from the start: +0s, +3d1h.")
    note: str = Field("", description="A sentence for whoever reads the timeline.")


class PostStep(StepPart):
    """Somebody posts an input, or several of one type."""

    post: str = Field(description="The type of the input, such as claim.file.v1.")
    content: Content | None = Field(None, description="Exactly what is posted.")
    contents: tuple[Content, ...] | None = Field(None, description="Or several contents, posted one after the other.")
    raw: str | None = Field(None, description="Or text that need not be JSON.")
    principal: Name | None = Field(None, alias="as", description="Who vouches. [default: gateway, where one must]")
    id: str | None = Field(None, min_length=1, max_length=200, description="The input's id; made when missing.")
    expect: Content = Field(
        default_factory=dict, description="What its outcome must contain. [default: that it was decided]"
    )


class GetStep(StepPart):
    """Somebody asks the query API."""

    get: Annotated[str, Field(pattern=r"^/v1/")] = Field(description="The path, such as /v1/claims/harbor.1/1.")
    status: int = Field(200, description="The HTTP status it must answer with.")
    answer: Content = Field(default_factory=dict, description="What the answer must contain.")


class EventStep(StepPart):
    """Somebody reads the logs: an event like this must have been recorded by now."""

    event: str = Field(description="The type of the event, such as claim.paid.v1.")
    on: str | None = Field(None, description="Its aggregate, such as cover/harbor.1.")
    contains: Content = Field(default_factory=dict, description="What it must contain.")
    count: Annotated[int, Field(ge=0)] | None = Field(None, description="How often exactly. [default: at least once]")


def _kind(step: Any) -> str | None:  # noqa: ANN401
    known = ("post", "get", "event")
    return next((name for name in known if name in step), None) if isinstance(step, dict) else "post"


Step = Annotated[
    Annotated[PostStep, Tag("post")] | Annotated[GetStep, Tag("get")] | Annotated[EventStep, Tag("event")],
    Discriminator(
        _kind,
        custom_error_type="step_kind",
        custom_error_message="must have one of post, get, event",
    ),
]


class Scenario(Part):
    """A scenario: what is given, what happens, and what must come of it."""

    title: Annotated[str, Field(min_length=1)] = Field(description="The rule it shows, in one sentence.")
    about: str = Field("", description="Whatever else a reader should know.")
    start: Instant = Field(START, description="The instant +0s stands for.")
    rulebook: RulebookPart = Field(default_factory=RulebookPart)
    given: Given = Field(default_factory=Given)
    timeline: tuple[Step, ...] = Field((), description="What happens, in the order of time.")


def read_scenario(path: Path) -> Scenario:
    """Read a file; raises ScenarioError, with every problem there is."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from error
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path}: {syntax_problem(error, text)}") from error
    try:
        # Through JSON, as messages are read: TOML's lists are tuples there, and its dates are texts.
        scenario = Scenario.model_validate_json(json.dumps(content, default=_spelled))
    except ValidationError as error:
        raise ScenarioError(*(f"{path}: {problem}" for problem in problems(error, Scenario, TOML))) from error
    broken = list(_rules(scenario))
    if broken:
        raise ScenarioError(*(f"{path}: {problem}" for problem in broken))
    return scenario


def _spelled(value: object) -> str:
    """Spell a date of TOML as an instant."""
    text = str(value).replace(" ", "T", 1)
    return text.replace("+00:00", "Z")


def _rules(scenario: Scenario) -> Iterator[str]:
    """List what is wrong between parts of the file."""
    pools = {part.pool for part in scenario.given.pools}
    products = {part.product: part for part in scenario.given.products}
    for number, product in enumerate(scenario.given.products):
        if product.pool is not None and product.pool not in pools:
            accepted = f"one of given.pools ({', '.join(sorted(pools)) or 'none is given'})"
            yield f"given.products.{number}.pool: {shown(product.pool)}: must be {accepted}"
    for number, cover in enumerate(scenario.given.covers):
        path = f"given.covers.{number}"
        listed = products.get(cover.product)
        if listed is None:
            accepted = f"one of given.products ({', '.join(products) or 'none is given'})"
            yield f"{path}.product: {shown(cover.product)}: must be {accepted}"
        elif listed.pool is None and cover.cover is None:
            yield f"{path}.cover: missing: must be given, as product {cover.product} has no pool that names its covers"
        elif listed.pool is not None and cover.cover is not None:
            yield f"{path}.cover: {shown(cover.cover)}: must be left away: pool {listed.pool} names its covers"
        if cover.age >= SETUP_BEFORE:
            accepted = f"less than {format_duration(SETUP_BEFORE)}, when the space is set up"
            yield f"{path}.age: {shown(format_duration(cover.age))}: must be {accepted}"
    before = 0
    for number, step in enumerate(scenario.timeline):
        path = f"timeline.{number}"
        if step.at < before:
            at, last = format_duration(step.at), format_duration(before)
            yield f'{path}.at: "+{at}": must be at least +{last}, when the step before it happens'
        before = max(before, step.at)
        if isinstance(step, PostStep):
            yield from _post_rules(path, step, scenario.given)
        if isinstance(step, EventStep):
            yield from _event_rules(path, step)


def _post_rules(path: str, step: PostStep, given: Given) -> Iterator[str]:
    if step.post not in TYPES:
        yield f"{path}.post: {shown(step.post)}: must be one of {', '.join(sorted(TYPES))}"
    held = [name for name in ("content", "contents", "raw") if getattr(step, name) is not None]
    if len(held) != 1:
        what = f"{' and '.join(held)} are given" if held else "missing"
        yield f"{path}.content: {what}: must be one of content, contents (a list of them), raw"
    if step.contents is not None and step.id is not None:
        yield f"{path}.id: {shown(step.id)}: must be left away where contents has several"
    if step.post == "incident.report.v1" and step.principal is None:
        bots = ", ".join(given.bots) or "none is given"
        yield f"{path}.as: missing: must be given, as an incident is reported by a bot of given.bots ({bots})"
    yield from _named_rules(f"{path}.expect", step.expect, InputOutcome)
    yield from _named_rules(f"{path}.expect.refusal", step.expect.get("refusal"), Refusal)
    fate = step.expect.get("fate", ANYTHING)
    if fate not in (*FATES, ANYTHING):
        yield f"{path}.expect.fate: {shown(fate)}: must be one of {', '.join(FATES)}"
    caused = step.expect.get("events")
    for number, event in enumerate(caused if isinstance(caused, list) else ()):
        if ANYTHING not in str(event):
            yield from _is_event(f"{path}.expect.events.{number}", event)


@cache
def _events() -> Mapping[str, type[Event]]:
    """Return the type of every event that can stand in a log."""
    decision_services()  # their modules declare them
    return {wire: model for wire, model in registered().items() if issubclass(model, Event)}


@cache
def _kinds() -> tuple[str, ...]:
    """Return the kinds of aggregates: those that services decide, and the kernel's own."""
    return (*(kind for service in decision_services() for kind in service.deciders), "partition")


def _event_rules(path: str, step: EventStep) -> Iterator[str]:
    """List what no event can be: a misspelt one would never be there, and expecting that would always be met."""
    yield from _is_event(f"{path}.event", step.event)
    if step.on is not None and step.on.partition("/")[0] not in _kinds():
        accepted = f"an aggregate, such as cover/harbor.1, of kind {', '.join(_kinds())}"
        yield f"{path}.on: {shown(step.on)}: must be {accepted}"
    model = _events().get(step.event)
    if model is not None:
        yield from _named_rules(f"{path}.contains", step.contains, model)


def _is_event(path: str, event: object) -> Iterator[str]:
    known = _events()
    if event not in known:
        near = get_close_matches(str(event), known, n=3) or sorted(known)
        yield f"{path}: {shown(event)}: must be the type of an event, such as {', '.join(near[:3])}"


def _named_rules(path: str, expected: object, model: type[BaseModel]) -> Iterator[str]:
    """List the fields that content of a model cannot have."""
    for name in expected if isinstance(expected, dict) else ():
        if name not in model.model_fields:
            yield f"{path}.{name}: unknown: must be one of {', '.join(model.model_fields)}"
