"""The kernel's own events: refusals, fates without a record of their own, set-aside inputs, releases, topic markers.

`refused.v1` stands on the aggregate it is about, or on `partition/<n>` when that does not exist; all others belong to
`partition/<n>` of the log they stand in.
"""

from typing import Annotated, Literal

from schemas.envelope import Event, Message, message
from schemas.instants import Instant
from schemas.problems import spelled


@message("refused.v1")
class Refused(Event):
    """A readable input broke a rule.

    `rule` is the rule's id, `value` what the input had, `accepted` what would be accepted, `not_before` the instant
    from which it would be. `unknown` says that the refusal is only because something does not exist (yet): it does
    not use up the input's id, which may be sent again.
    """

    rule: str
    value: str
    accepted: str
    not_before: Instant | None = None
    unknown: bool = False


@message("input.set-aside.v1")
class SetAside(Event):
    """An input that could not be read, or that an operator passed, stays where it is and can be sent again."""

    position: str
    cause: str
    reason: str
    size_bytes: int
    passed_by: str | None = None


class PassedInput(Message):
    """The fate of one input that left no other record; what the duplicate memory needs to know of it."""

    offset: int
    fate: Literal["duplicate", "forwarded", "no-effect"]
    at: Instant
    input_sha256: str
    of: str | None = None
    to_partition: int | None = None
    id: str | None = None
    key: str | None = None
    sender: str | None = None
    stream: str | None = None
    content_sha256: str | None = None


class PassedRange(Message):
    """Inputs of one topic partition that were passed, in the order of their decision."""

    topic: str
    incarnation: str
    inputs: tuple[PassedInput, ...]


@message("inputs.passed.v1")
class InputsPassed(Event):
    """Names every input decided since the record before it that has no event: none is dropped quietly.

    `of` is the position of the earlier input that a duplicate repeats; `to_partition` where a misplaced input went.
    """

    ranges: tuple[PassedRange, ...]


@message("release.started.v1")
class ReleaseStarted(Event):
    """From here on this release decides, under this configuration of the space.

    `fingerprint` covers every source file a decision depends on, `space_sha256` what the space's parts agree on.
    """

    version: str
    fingerprint: str
    space_sha256: str


@message("topic.started.v1")
class TopicStarted(Event):
    """The first record of every topic partition: which life of the topic this is."""

    topic: str
    incarnation: Annotated[str, spelled(r"^[0-9a-f]{16}$", "16 hexadecimal digits in lower case")]


@message("fact.noted.v1")
class FactNoted(Event):
    """A broadcast from a sibling, now in this log: `fact_json` is the content of a `fact_type` message."""

    fact_type: str
    fact_json: str


KERNEL_EVENTS: tuple[type[Event], ...] = (FactNoted, InputsPassed, Refused, ReleaseStarted, SetAside, TopicStarted)
"""Every event of the kernel's own: no decider folds it, and no route is asked about it."""
