"""The same decisions by a stock Faust agent with tables: `python -m tests.bench.faust_rival SETTINGS`, one JSON object.

At least once, as its documentation shows: tables in memory with a changelog each, `await topic.send()`. It decodes with
our messages, keeps states as dictionaries, and has the rules of an input in their order. What it does not do:
`tests/bench/rivals.py` says it for both rivals.
"""

import hashlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import faust
from faust.types import StreamT

from schemas.adjudication import CastVote, VoteCounted
from schemas.claims import ClaimFiled, CoverRegistered, FileClaim, RegisterCover
from schemas.envelope import Event, Input, UnknownTypeError, decode
from schemas.instants import format_instant, parse_instant
from schemas.outcomes import NextStep
from services.kernel.partitioner import partition_of
from services.kernel.records import Refused, SetAside
from services.kernel.space import DUPLICATE_WINDOW
from services.kernel.wire import content_digest, stable_id

STREAMS = {"claims": ("cover.registrations", "claim.filings"), "votes": ("assessor.votes",)}
_ACCEPTED: dict[str, type[Input]] = {
    "cover.registrations": RegisterCover,
    "claim.filings": FileClaim,
    "assessor.votes": CastVote,
}
_SERVICES = {"claims": "claims", "votes": "adjudication"}
State = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """What the driver says; `facts` is a file with what siblings would tell, as `rivals.facts` makes it."""

    bootstrap: str
    prefix: str
    mode: str
    application: str
    folder: str
    facts: str


class Envelope(NamedTuple):
    """What is read of an input's headers."""

    id: str
    source: str
    type: str


class Decision(NamedTuple):
    """One event, and what it makes of the aggregate's state; None where it changes nothing."""

    event: Event
    state: State | None = None


class Decider:
    """Reads, finds repeats, decides and writes one event for each input."""

    def __init__(self, settings: Settings, app: faust.App) -> None:
        self.settings = settings
        self.facts: dict[str, Any] = json.loads(Path(settings.facts).read_bytes())
        self.service = _SERVICES[settings.mode]
        self.source = f"/{self.facts['space']}/{self.service}".encode()
        self.partitions = int(self.facts["partitions"])
        self.last_at: dict[str, int] = {}
        self.memory = app.Table("memory", partitions=self.partitions)
        self.states = app.Table("states", partitions=self.partitions)
        self.votes = app.Table("votes", partitions=self.partitions)
        self.events = app.topic(f"{settings.application}.events", key_serializer="raw", value_serializer="raw")

    async def agent(self, stream: StreamT[bytes]) -> None:
        """Decide one input after the other."""
        async for event in stream.events():
            await self._take(event.message)

    async def _take(self, message: Any) -> None:  # noqa: ANN401 - Faust's messages have no type that says what they hold
        stream = message.topic.removeprefix(self.settings.prefix)
        at = self.last_at[stream] = max(self.last_at.get(stream, 0), round(message.timestamp * 1000))
        position = f"{message.topic}/{message.partition}/{message.offset}"
        home, envelope = f"partition/{message.partition}", None
        try:
            headers = {name: value.decode() for name, value in dict(message.headers).items()}
            envelope = Envelope(headers["ce_id"], headers["ce_source"], headers["ce_type"])
            content = decode(envelope.type, message.value)
            if not isinstance(content, _ACCEPTED[stream]):
                raise UnknownTypeError(envelope.type)
            key = content.key()
            if partition_of(key, self.partitions) != message.partition:
                raise LookupError(f"{key} is of another partition")
        except (LookupError, ValueError) as error:
            set_aside = SetAside(
                position=position, cause="unreadable", reason=str(error)[:2000], size_bytes=len(message.value or b"")
            )
            await self._emit(home, envelope, at, Decision(set_aside))
            return
        unique = f"{stream}\n{key}\n{envelope.source}\n{envelope.id}"
        digest = content_digest(envelope.type, message.value)
        known = self.memory.get(unique)
        if known is not None and at - known[1] <= DUPLICATE_WINDOW:
            await self._emit(home, envelope, at, Decision(_repeated(envelope, known, digest)))
            return
        state = self.states.get(key)
        decision = self._decide(key, state or {}, content, at)
        refused = isinstance(decision.event, Refused)
        if not (isinstance(decision.event, Refused) and decision.event.unknown):
            self.memory[unique] = [message.offset, at, digest]
        await self._emit(home if refused and state is None else key, envelope, at, decision)

    def _decide(self, key: str, state: State, content: Input, at: int) -> Decision:
        match content:
            case RegisterCover():
                return self._register(state, content)
            case FileClaim():
                refused = self._refuse_filing(state, content, at)
                return Decision(refused) if refused else self._filed(state, content, at)
            case CastVote():
                return self._vote(key, state, content, at)
            case _:
                raise TypeError(content)

    async def _emit(self, key: str, cause: Envelope | None, at: int, decision: Decision) -> None:
        state = decision.state if decision.state is not None else self.states.get(key) or {}
        sequence = state.get("sequence", 0) + 1
        self.states[key] = {**state, "sequence": sequence}
        headers = {
            "ce_id": stable_id(self.facts["space"], self.service, key, sequence).encode(),
            "ce_sequence": b"%d" % sequence,
            "ce_source": self.source,
            "ce_specversion": b"1.0",
            "ce_time": format_instant(at).encode(),
            "ce_type": decision.event.wire.encode(),
            "content-type": b"application/json",
        }
        if cause is not None:
            headers |= {"ce_causationid": cause.id.encode(), "ce_sender": cause.source.encode()}
        await self.events.send(key=key.encode(), value=decision.event.to_bytes(), headers=headers)

    # --- covers and claims: services/claims/registration.py and intake.py

    def _register(  # noqa: PLR0911 - one return per rule
        self, state: State, content: RegisterCover
    ) -> Decision:
        product, rules = self.facts["products"].get(content.product), self.facts["rulebooks"].get(content.rulebook)
        if "holder" in state:
            return _refused("cover.already-registered", f"cover {content.cover}", "the id of another cover")
        name, _, number = content.cover.rpartition(".")
        if name and number.isdecimal():
            return _refused("cover.id-reserved", f"cover {content.cover}", "an id that pools do not use")
        if content.starts_at >= content.expires_at:
            return _refused("cover.period-empty", format_instant(content.expires_at), "an expiry after the start")
        if product is None:
            return _refused("cover.product-unknown", f"product {content.product}", "a listed product", unknown=True)
        if product["pool"] is not None:
            return _refused("cover.sold-by-pool", f"product {content.product}", f"a request to {product['pool']}")
        if content.asset != product["asset"]:
            return _refused("cover.other-asset", f"asset {content.asset}", product["asset"])
        if rules is None:
            return _refused(
                "cover.rulebook-unknown", f"rulebook {content.rulebook}", "a published version", unknown=True
            )
        begin = format_instant(content.starts_at + rules["waiting_period"])
        end = _until(content.expires_at, inclusive=rules["expiry_inclusive"])
        claimable_until = content.expires_at + rules["grace"]
        event = CoverRegistered(
            **content.__dict__,
            claimable_until=claimable_until,
            next=NextStep(
                step=f"the holder may claim for confirmed incidents from {begin} {end}, until the grace ends",
                due_at=claimable_until,
            ),
        )
        terms = {**content.__dict__, "amount_minor": str(content.amount_minor)}
        account: State = {"paid_minor": "0", "owed_minor": "0", "claims": {}, "open": None, "settled": {}}
        return Decision(event, {**state, **terms, **account})

    def _refuse_filing(  # noqa: PLR0911 - one return per rule
        self, cover: State, content: FileClaim, at: int
    ) -> Refused | None:
        if "holder" not in cover:
            return _refusal("claim.cover-unknown", f"cover {content.cover}", "a registered cover", unknown=True)
        if content.claimant != cover["holder"]:
            return _refusal("claim.not-holder", f"claimant {content.claimant}", cover["holder"])
        incident = self.facts["incidents"].get(content.incident)
        if incident is None:
            return _refusal("claim.incident-unknown", f"incident {content.incident}", "a confirmed one", unknown=True)
        rules = self.facts["rulebooks"][cover["rulebook"]]
        occurred_at = parse_instant(incident["occurred_at"])
        if incident["status"] != "confirmed":
            return _refusal("claim.incident-not-confirmed", incident["status"], "an incident that is confirmed")
        if incident["product"] != cover["product"]:
            return _refusal("claim.other-product", incident["product"], cover["product"])
        if occurred_at < cover["starts_at"] + rules["waiting_period"]:
            return _refusal("claim.before-waiting-period", format_instant(occurred_at), "an incident after it")
        if _is_over(occurred_at, cover["expires_at"], inclusive=rules["expiry_inclusive"]):
            return _refusal("claim.after-expiry", format_instant(occurred_at), "an incident before it")
        if at < occurred_at + rules["not_before"]:
            begin = occurred_at + rules["not_before"]
            accepted = f"a filing from {format_instant(begin)}"
            return Refused(rule="claim.too-early", value=format_instant(at), accepted=accepted, not_before=begin)
        if _is_over(at, cover["expires_at"] + rules["grace"], inclusive=rules["grace_inclusive"]):
            return _refusal("claim.grace-ended", format_instant(at), "a filing before the grace after expiry ends")
        return _refuse_content(cover, content, rules["evidence_max"])

    def _filed(self, cover: State, content: FileClaim, at: int) -> Decision:
        claim = f"{content.cover}/{len(cover['claims']) + 1}"
        ruled_by = at + self.facts["rulebooks"][cover["rulebook"]]["procedure"]
        event = ClaimFiled(
            **content.__dict__,
            claim=claim,
            rulebook=cover["rulebook"],
            product=cover["product"],
            next=NextStep(
                step=f"the ruling of case claim/{claim}, "
                "at the latest unless an outage or a halt delays the end of a stage",
                due_at=ruled_by,
            ),
        )
        filed = {
            "incident": content.incident,
            "claimant": content.claimant,
            "amount_minor": str(content.amount_minor),
            "status": "filed",
            "evidence": [document.sha256 for document in content.evidence],
            "ruled_by": ruled_by,
        }
        return Decision(event, {**cover, "claims": {**cover["claims"], claim: filed}, "open": claim})

    # --- votes: services/adjudication/ballot/voting.py

    def _vote(self, key: str, case: State, content: CastVote, at: int) -> Decision:
        ballot = self.facts["ballots"].get(content.case)
        if ballot is None:
            return _refused("vote.case-unknown", f"case {content.case}", "a vote in an opened case", unknown=True)
        stake_minor = int(self.facts["stakes"].get(content.assessor, "0"))
        reason = ballot["excluded"].get(content.assessor)
        if reason is not None:
            return _refused("vote.excluded", f"{content.assessor} {reason}", "a vote of somebody else")
        if not stake_minor:
            return _refused("vote.not-an-assessor", content.assessor, "a vote of an assessor with a stake above 0")
        if ballot["clause_required"] and not content.clause.strip():
            return _refused("vote.clause-missing", "the vote names no clause", "a vote that names the clause")
        weight_minor = _weight(ballot, stake_minor)
        grounds = hashlib.sha256(f"{len(content.clause)}:{content.clause}{content.rationale}".encode()).hexdigest()
        reasoned, name = bool(content.rationale.strip()), f"{key} {content.assessor}"
        cast = [content.choice, str(stake_minor), reasoned, grounds]
        earlier = self.votes.get(name)
        if earlier is not None and (not ballot["replaces"] or earlier == cast):
            return _refused("vote.already-voted", f"{content.assessor} voted {earlier[0]}", "a vote that differs")
        self.votes[name] = cast
        accept_minor, deny_minor = (
            int(case.get(f"{choice}_minor", "0")) + _part(ballot, cast, choice) - _part(ballot, earlier, choice)
            for choice in ("accept", "deny")
        )
        event = VoteCounted(
            round=ballot["round"],
            assessor=content.assessor,
            choice=content.choice,
            clause=content.clause,
            rationale=content.rationale,
            stake_minor=stake_minor,
            weight_minor=weight_minor,
            replaces=earlier is not None,
            accept_minor=accept_minor,
            deny_minor=deny_minor,
            next=NextStep(step="ballot closes", due_at=max(at, parse_instant(ballot["closes_at"]))),
        )
        heads = case.get("heads", 0) + (earlier is None)
        tally = {"accept_minor": str(accept_minor), "deny_minor": str(deny_minor), "heads": heads}
        return Decision(event, {**case, **tally})


def _refuse_content(cover: State, content: FileClaim, evidence_max: int) -> Refused | None:
    if cover["open"] is not None:
        return _refusal("claim.already-open", f"a claim while {cover['open']} is open", "a claim once it is ruled on")
    if content.incident in cover["settled"]:
        return _refusal("claim.incident-already-paid", f"incident {content.incident}", "another incident")
    remaining_minor = int(cover["amount_minor"]) - int(cover["paid_minor"]) - int(cover["owed_minor"])
    if content.amount_minor > remaining_minor:
        value, accepted = f"{content.amount_minor} claimed", f"at most {remaining_minor}"
        return _refusal("claim.amount-above-remaining", value, accepted)
    documents = [document.sha256 for document in content.evidence]
    if len(documents) > evidence_max:
        return _refusal("claim.too-much-evidence", f"{len(documents)} documents", f"{evidence_max} in all")
    if len(set(documents)) < len(documents):
        return _refusal("claim.evidence-repeated", "a document again", "each document once")
    return None


def _repeated(envelope: Envelope, known: list[Any], digest: str) -> Event:
    if known[2] == digest:
        return _refusal("input.duplicate", f"id {envelope.id} of {known[0]} again", "it once")
    return _refusal("input.id-reused", f"id {envelope.id} with other content than {known[0]}", "a new id")


def _refusal(rule: str, value: str, accepted: str, *, unknown: bool = False) -> Refused:
    return Refused(rule=rule, value=value, accepted=accepted, unknown=unknown)


def _refused(rule: str, value: str, accepted: str, *, unknown: bool = False) -> Decision:
    return Decision(_refusal(rule, value, accepted, unknown=unknown))


def _weight(ballot: dict[str, Any], stake_minor: int) -> int:
    return stake_minor if ballot["cap_minor"] is None else min(stake_minor, int(ballot["cap_minor"]))


def _part(ballot: dict[str, Any], vote: list[Any] | None, choice: str) -> int:
    return _weight(ballot, int(vote[1])) if vote and vote[0] == choice else 0


def _is_over(instant: int, end: int, *, inclusive: bool) -> bool:
    return instant > end if inclusive else instant >= end


def _until(end: int, *, inclusive: bool) -> str:
    return f"{'until' if inclusive else 'before'} {format_instant(end)}"


def _end_with_driver() -> None:
    """End this process when its driver is gone, and with it the other end of standard input."""
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    """Run until told to stop."""
    Thread(target=_end_with_driver, daemon=True).start()
    settings = Settings(**json.loads(sys.argv[1]))
    app = faust.App(
        settings.application,
        broker=f"kafka://{settings.bootstrap}",
        datadir=settings.folder,
        web_enabled=False,
    )
    decider = Decider(settings, app)
    topics = [settings.prefix + stream for stream in STREAMS[settings.mode]]
    inputs = app.topic(*topics, key_serializer="raw", value_serializer="raw")
    app.agent(inputs, name="decide")(decider.agent)
    faust.Worker(app, loglevel="ERROR").execute_from_commandline()


if __name__ == "__main__":
    main()
