"""`adjudex set-aside`: what could not be decided, and going past what stops a partition."""

from shlex import quote
from typing import Any, NamedTuple

from schemas.envelope import Record
from schemas.instants import format_instant
from services.cli.console import FINE, Console, OperationRefusedError, printable
from services.cli.data import DataDirectory, SpaceStore
from services.cli.render import detail, headline, place, value_text
from services.cli.trace import Place, Tracer, content_of, headers_of, read_place
from services.kernel.engine import Engine, PartitionStoppedError
from services.kernel.records import SetAside
from services.kernel.space import Space
from services.kernel.verify import where_is
from services.registry import decision_services

_POSITION = "a position is topic/partition/offset, such as claim.filings/0/12"


async def _found(tracer: Tracer) -> list[tuple[dict[str, Any], Place]]:
    """Return everything that was set aside, and where it stands."""
    found = []
    for group in await tracer.groups():
        event = content_of(group[0])
        if isinstance(event, SetAside):
            headers, input_place = headers_of(group[0]), read_place(event.position)
            assert input_place is not None
            content = {
                "position": event.position,
                "id": headers["ce_causationid"],
                "at": headers["ce_time"],
                "cause": event.cause,
                "reason": event.reason,
                "size_bytes": event.size_bytes,
                "passed_by": event.passed_by,
                "log_position": where_is(group[0]),
            }
            found.append((content, input_place))
    return sorted(found, key=lambda held: str(held[0]["at"]))


def _text(content: dict[str, Any]) -> list[str]:
    lines = headline("set-aside", f"{place(content['position'])}  {content['size_bytes']:,} bytes  {content['at']}")
    lines += detail("cause", content["cause"])
    lines += detail("reason", content["reason"])
    return lines + (detail("passed by", content["passed_by"]) if content["passed_by"] else [])


async def list_all(data: DataDirectory, console: Console) -> int:
    """List everything that was set aside."""
    async with data.reading() as (space, store):
        found = await _found(Tracer(space, store))
    for content, _ in found:
        console.put(content, *_text(content))
    if not found and not console.as_json:
        console.put({}, "nothing was set aside")
    return FINE


async def show_one(data: DataDirectory, position: str, console: Console) -> int:
    """Show one set-aside input with its bytes; the position is its own, or that of the event that says so."""
    wanted = _read(position)
    async with data.reading() as (space, store):
        tracer = Tracer(space, store)
        for content, input_place in await _found(tracer):
            if wanted not in (input_place, read_place(content["log_position"])):
                continue
            record = await tracer.record(input_place)
            assert record is not None
            key = None if record.key is None else value_text(record.key)
            headers = {printable(name): value_text(value) for name, value in record.headers}
            shown = {**content, "appended_at": format_instant(record.timestamp), "key": key, "headers": headers}
            lines = [*_text(content), *detail("key", key or "(no key)")]
            lines += [line for name, held in headers.items() for line in detail("header", f"{name}: {held}")]
            console.put({**shown, **_bytes(record.value)}, *lines, *detail("value", value_text(record.value)))
            return FINE
    raise OperationRefusedError(f"nothing at {printable(position)} was set aside", "`adjudex set-aside list` lists all")


async def find_set_aside(space: Space, store: SpaceStore, position: str) -> Record:
    """Return an input that was set aside, by its own position or the event's; raises OperationRefusedError."""
    wanted, tracer = _read(position), Tracer(space, store)
    for content, input_place in await _found(tracer):
        if wanted in (input_place, read_place(content["log_position"])):
            record = await tracer.record(input_place)
            assert record is not None
            return record
    raise OperationRefusedError(f"nothing at {printable(position)} was set aside", "`adjudex set-aside list` lists all")


def _bytes(value: bytes | None) -> dict[str, str | None]:
    """Spell the original bytes: as they are where they are text, else in base 16."""
    if value is None:
        return {"value": None}
    try:
        return {"value": value.decode()}
    except UnicodeDecodeError:
        return {"value_hex": value.hex()}


def _read(position: str) -> Place:
    found = read_place(position)
    if found is None:
        raise OperationRefusedError(f"{printable(position)} is no position", _POSITION)
    return found


async def pass_one(data: DataDirectory, position: str, console: Console, *, operator: str, reason: str) -> int:
    """Go past the input that stops a partition, as an event that names the operator."""
    topic, partition, offset = _read(position)
    service = next((held for held in decision_services() if topic in held.topics), None)
    if service is None:
        raise OperationRefusedError(f"nothing is decided from {topic}", "pass an input of a public stream or an inbox")
    async with data.owning() as (space, store):
        if partition >= space.partitions:
            raise OperationRefusedError(f"there is no partition {partition}", f"0 to {space.partitions - 1}")
        engine = Engine(space, service, store, partition, snapshots=data.snapshots)
        stopped = await _run_until_stopped(engine)
        if stopped is None or read_place(stopped.position) != (topic, partition, offset):
            where = f"it stops at {stopped.position}" if stopped else "nothing stops it"
            raise OperationRefusedError(
                f"{service.name}, partition {partition}, does not stop at {printable(position)}: {where}",
                "pass only what stops a partition; `adjudex doctor` names it",
            )
        await engine.pass_input(topic, offset, operator=operator, reason=reason)
    content = {"passed": position, "operator": operator, "reason": reason, "stopped_by": str(stopped)}
    following = f"`adjudex run {service.name}` goes on behind it" if data.is_on_kafka else "`adjudex up`"
    console.put(content, *headline("passed", f"{position}, by {operator}: {reason}"), *detail("next", following))
    return FINE


class Advice(NamedTuple):
    """What to do about a stopped partition, and the command that does it, if one can."""

    text: str
    command: str | None

    def __str__(self) -> str:
        """Say both in one sentence."""
        return self.text + (f": {self.command}" if self.command else "")


def pass_advice(data: DataDirectory, position: str) -> Advice:
    """Say what to do about a partition that stopped at a position."""
    if read_place(position) is None:
        return Advice("report this bug: a deadline cannot be passed; a mended release goes on with it", None)
    command = f"adjudex set-aside pass {position} --data {quote(str(data.path))} --operator NAME --reason TEXT"
    first = "" if data.is_on_kafka else "stop `up` and "
    return Advice(f"report this bug; to go past the input, {first}run", command)


async def _run_until_stopped(engine: Engine) -> PartitionStoppedError | None:
    """Decide what can be decided and return what stops the partition, if anything does."""
    try:
        while (await engine.step()).more:
            pass
    except PartitionStoppedError as stopped:
        return stopped
    return None
