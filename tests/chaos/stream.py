"""What outsiders send in the chaos: a stream of inputs that leads to every kind of decision."""

import random
from collections import Counter, deque
from collections.abc import Mapping
from typing import NamedTuple

from schemas.adjudication import CastVote, Choice
from schemas.assessors import AddStake
from schemas.claims import FileClaim, ReduceClaim, RegisterCover, WithdrawClaim
from schemas.envelope import Input, Message, Outgoing
from schemas.governance import SetStakeTerms
from schemas.incidents import ReportIncident
from schemas.instants import DAY, SECOND
from schemas.outcomes import InputOutcome, PayoutInstruction
from schemas.payouts import ReceiptConfirmed, ReceiptFailed, ReceiptSubmitted
from services.kernel.space import Space
from tests.chaos.market import (
    ASSESSORS,
    ASSET,
    BOTS,
    COVERED_MINOR,
    GATEWAY,
    RULEBOOK,
    given_covers,
    holder,
    number_of,
    payout_terms,
    pools,
    products,
    record,
    request,
    vouched,
)

_AGAIN_S = 0.4
_KEPT = 2_000
_NEW_SHARE = 5
_COVER_SHARES = (0.06, 0.02)
"""Of what is new, covers, and while much is called for: their claims and votes are most of the work."""
_REPORT_SHARE = 0.02
"""Of what is new and no cover: each new incident is told to three services in every partition."""
_MUCH = 600
_STAKE_S = 0.4


class _Due(NamedTuple):
    at: float
    content: Input
    id: str


class Stream:
    """Inputs without end: new covers, reports, stakes, sales and rubbish, and what outcomes and instructions call for.

    What is called for comes first, so that the stream is as broad as the services are quick; `take` fills up with
    what is new, so that it is never thinner than asked for.
    """

    def __init__(self, space: Space, seed: int, now: int) -> None:
        self.space = space
        self.random = random.Random(seed)
        self.made: Counter[str] = Counter()
        self.is_new_wanted = True
        self._now = now
        self._covers = 0
        self._reports = 0
        self._other = 0
        self._stake_at = 0.0
        self._unclaimed = deque(given_covers(space.partitions))
        self._pools = pools(space.partitions)
        # What is filed has to be voted on in time, so votes do not wait for filings.
        self._urgent: deque[_Due] = deque()
        self._filings: deque[_Due] = deque()
        self._kept: deque[Outgoing] = deque(maxlen=_KEPT)
        self._vaults = products("vault", space.partitions)
        self._busy = products("busy", space.partitions)
        self._heard: set[str] = set()

    @property
    def waiting(self) -> int:
        """How many inputs are called for and not sent."""
        return len(self._urgent) + len(self._filings)

    # --- what is called for

    def hear(self, content: Message, now: float) -> None:
        """Take in what the relay published, repeats as well."""
        if isinstance(content, PayoutInstruction):
            name = f"{content.reference}/{content.attempt}"
            if name not in self._heard:
                self._heard.add(name)
                self._pay(content, now)
        elif isinstance(content, InputOutcome):
            self._follow(content, now)

    def _follow(self, outcome: InputOutcome, now: float) -> None:
        kind, _, name = outcome.input_id.partition(":")
        if outcome.fate == "refused" and outcome.refusal is not None and outcome.refusal.unknown:
            # Too early: the same again, id included.
            place = f"{outcome.position} again"
            if kind in ("file", "vote", "report", "claim", "ballot") and place not in self._heard:
                self._heard.add(place)
                self._call(self._again(kind, name), outcome.input_id, now + _AGAIN_S)
            return
        if outcome.fate != "decided" or outcome.input_id in self._heard:
            return
        self._heard.add(outcome.input_id)
        if kind == "register":
            self._call(self._filing(name), f"file:{name}", now)
        elif kind == "file":
            self._voting(name, now)
        elif kind == "claim":
            for assessor in range(len(ASSESSORS)):
                self._call(self._vote(name, assessor), f"ballot:{name}-{assessor}", now + _AGAIN_S / 2)
        elif kind == "report" and name.endswith("-a") and int(name.split("-")[-2]) % 2:
            self._call(self._report(name, BOTS[1]), f"report:{name[:-1]}b", now)

    def _again(self, kind: str, name: str) -> Input:
        if kind == "file":
            return self._filing(name)
        if kind == "claim":
            return self._claim(name)
        if kind == "report":
            return self._report(name, BOTS[0] if name.endswith("a") else BOTS[1])
        cover, _, number = name.rpartition("-")
        return self._vote(cover, int(number))

    def _filing(self, cover: str) -> FileClaim:
        number = int(cover[1:])
        amount = COVERED_MINOR + 1 if number % 25 == 3 else COVERED_MINOR // 10 + number
        incident = f"{self._vaults[number % len(self._vaults)]}/1"
        return FileClaim(cover=cover, claimant=holder(cover), incident=incident, amount_minor=amount)

    def _claim(self, cover: str) -> FileClaim:
        pool = cover.rpartition(".")[0]
        return FileClaim(
            cover=cover,
            claimant=holder(pool),
            incident=f"{pool}/1",
            amount_minor=COVERED_MINOR // 10 + number_of(cover),
        )

    def _voting(self, cover: str, now: float) -> None:
        number = int(cover[1:])
        # A fifth of the ballots is not complete: their windows end.
        voters = len(ASSESSORS) - 1 if number % 5 == 0 else len(ASSESSORS)
        for assessor in range(voters):
            self._call(self._vote(cover, assessor), f"vote:{cover}-{assessor}", now + _AGAIN_S / 2)
        claim = f"{cover}/1"
        if number % 20 == 7:
            content = WithdrawClaim(cover=cover, claimant=holder(cover), claim=claim)
            self._call(content, f"withdraw:{cover}", now + 2 * _AGAIN_S)
        if number % 20 == 9:
            amount = COVERED_MINOR // 20
            reduced = ReduceClaim(cover=cover, claimant=holder(cover), claim=claim, amount_minor=amount)
            self._call(reduced, f"reduce:{cover}", now + 2 * _AGAIN_S)

    def _vote(self, cover: str, number: int) -> CastVote:
        choice: Choice = "deny" if number_of(cover) % 7 == number else "accept"
        return CastVote(case=f"claim/{cover}/1", assessor=ASSESSORS[number], choice=choice, clause="1.1")

    def _pay(self, told: PayoutInstruction, now: float) -> None:
        """Confirm most attempts, fail some first ones, and leave a few without an answer."""
        # Stake and capital that leave are paid out for no cover.
        number, attempt = number_of(told.cover) if told.cover else 0, told.attempt
        payout, name = told.reference, f"{told.reference}/{told.attempt}"
        if number % 40 == 11:
            return
        if number % 10 == 1 and attempt == 1:
            self._call(ReceiptFailed(payout=payout, attempt=attempt, reason="no gas"), f"fail:{name}", now)
            return
        if number % 10 == 2:
            submitted = ReceiptSubmitted(payout=payout, attempt=attempt, transaction=f"tx-{name}")
            self._call(submitted, f"submit:{name}", now)
        confirmed = ReceiptConfirmed(
            payout=payout,
            attempt=attempt,
            transaction=f"tx-{name}",
            asset=told.asset,
            recipient=told.recipient,
            amount_minor=told.amount_minor,
        )
        self._call(confirmed, f"confirm:{name}", now + _AGAIN_S)

    def _call(self, content: Input, identifier: str, at: float) -> None:
        waiting = self._filings if isinstance(content, FileClaim) else self._urgent
        waiting.append(_Due(at, content, identifier))

    # --- what is sent

    def take(self, count: int, now: float) -> list[Outgoing]:
        """Return the next inputs: so many, unless nothing new is wanted."""
        found = self._new(count // _NEW_SHARE) if self.is_new_wanted else []
        for waiting in (self._urgent, self._filings):
            found += self._called_for(waiting, count - len(found), now)
        if self.is_new_wanted:
            if now > self._stake_at:
                self._stake_at = now + _STAKE_S
                found += [self._terms(), self._stake(), self._sale()]
                if self._unclaimed:
                    cover = self._unclaimed.popleft()
                    self._call(self._claim(cover), f"claim:{cover}", now)
            found += self._new(count - len(found))
        self.random.shuffle(found)
        made = vouched(self.space, found)
        for number, one in enumerate(made):
            if self.random.random() < 0.02:
                self.made["misplaced"] += 1
                made[number] = one._replace(partition=(one.partition + 1) % self.space.partitions)
        self._kept.extend(one for one in made if self.random.random() < 0.3)
        return made

    def _called_for(self, waiting: deque[_Due], count: int, now: float) -> list[Outgoing]:
        found: list[Outgoing] = []
        for _ in range(len(waiting)):
            if len(found) >= count:
                break
            due = waiting.popleft()
            if due.at > now:
                waiting.append(due)
                continue
            source = BOTS[1] if due.id.startswith("report:") and due.id.endswith("b") else BOTS[0]
            found.append(record(self.space, due.content, due.id, source))
            self.made[due.id.partition(":")[0]] += 1
        return found

    def _new(self, count: int) -> list[Outgoing]:
        """Return new inputs, fewer covers while much is called for."""
        covers = _COVER_SHARES[self.waiting >= _MUCH]
        found = []
        for _ in range(count):
            share = self.random.random()
            if share < covers:
                self.made["register"] += 1
                self._covers += 1
                found.append(self._register(f"c{self._covers}", f"register:c{self._covers}"))
            elif share < covers + (1 - covers) * _REPORT_SHARE:
                self.made["report"] += 1
                self._reports += 1
                name = f"{self._busy[self._reports % len(self._busy)]}-{self._reports}-a"
                found.append(record(self.space, self._report(name, BOTS[0]), f"report:{name}", BOTS[0]))
            else:
                found.append(self._bad())
        return found

    def _terms(self) -> Outgoing:
        self.made["terms"] += 1
        self._other += 1
        terms = SetStakeTerms(asset=ASSET, stake_min_minor=1, notice=self._other * SECOND, payout=payout_terms())
        return record(self.space, terms, f"terms:{self._other}")

    def _stake(self) -> Outgoing:
        self.made["stake"] += 1
        self._other += 1
        name = f"stake:{self._other}"
        stake = AddStake(assessor=self.random.choice(ASSESSORS), amount_minor=1, transaction=name)
        return record(self.space, stake, name, GATEWAY)

    def _sale(self) -> Outgoing:
        self.made["sale"] += 1
        self._other += 1
        name = f"{self.random.choice(self._pools)}.s{self._other}"
        return record(self.space, request(name), f"sale:{name}", GATEWAY)

    def _register(self, cover: str, identifier: str, amount: int = COVERED_MINOR) -> Outgoing:
        product = self._vaults[int(cover[1:]) % len(self._vaults)]
        content = RegisterCover(
            cover=cover,
            product=product,
            holder=holder(cover),
            amount_minor=amount,
            asset=ASSET,
            starts_at=self._now - 30 * DAY,
            expires_at=self._now + 300 * DAY,
            rulebook=RULEBOOK,
        )
        return record(self.space, content, identifier, "registrar")

    def _report(self, name: str, bot: str) -> ReportIncident:
        product, number, _ = name.rsplit("-", 2)
        occurred_at = self._now - 60 * DAY + int(number) * 3 * SECOND
        return ReportIncident(product=product, reference=f"r-{number}", occurred_at=occurred_at, summary=f"by {bot}")

    def _bad(self) -> Outgoing:
        """Return what is no good input: a repeat, an id used again, terms changed, a vote on nothing, no message."""
        self._other += 1
        identifier = f"bad:{self._other}"
        kinds = ("repeat", "repeat", "id-reused", "registered", "unknown", "unknown", "unreadable", "no-id", "schema")
        kind = self.random.choice(kinds)
        self.made[kind] += 1
        cover = f"c{self.random.randint(1, max(self._covers, 1))}"
        if kind == "repeat" and self._kept:
            return self.random.choice(self._kept)
        if kind == "id-reused":
            return self._register(cover, f"register:{cover}", COVERED_MINOR + 7)
        if kind == "unknown" and self.random.random() < 0.5:
            # Whatever the others do: payouts has something to decide, in every partition.
            failed = ReceiptFailed(payout=f"nothing-{self._other}/1/1", attempt=1, reason="no such payout")
            return record(self.space, failed, identifier, "treasury")
        if kind == "unknown":
            vote = CastVote(case=f"claim/nothing-{self._other}/1", assessor=ASSESSORS[0], choice="accept", clause="1")
            return record(self.space, vote, identifier)
        good = self._register(cover, identifier)
        spoiled = {
            "unreadable": good._replace(value=b"\xff\x00{"),
            "no-id": good._replace(headers=tuple(header for header in good.headers if header[0] != "ce_id")),
            "schema": good._replace(value=b'{"cover":"' + cover.encode() + b'","amount_minor":"-1"}'),
        }
        return spoiled.get(kind, good)


def spelled(made: Mapping[str, int]) -> str:
    """Spell how many inputs of each kind there were."""
    return ", ".join(f"{kind} {count:,}" for kind, count in sorted(made.items()))
