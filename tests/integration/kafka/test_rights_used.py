"""Each service works with exactly its rights: what the cluster's authorizer let them do is what they are granted."""

import asyncio
import re
from functools import partial
from pathlib import Path

import pytest

from schemas.adjudication import CastVote
from schemas.assessors import AddStake, RegisterAssessor, RequestStakeWithdrawal, WithdrawStake
from schemas.claims import WithdrawClaim
from schemas.envelope import Input, Message, Outgoing
from schemas.governance import OpenPool, SetStakeTerms
from schemas.instants import SECOND
from schemas.outcomes import PayoutInstruction
from schemas.payouts import ReceiptFailed
from schemas.pools import DepositCapital, RequestCapitalWithdrawal, WithdrawCapital
from services.cli.access import Outsiders, rights
from services.cli.data import DataDirectory
from services.kernel.kafka.admin import Acl
from services.kernel.kafka.settings import KafkaSettings
from services.kernel.space import Space
from services.registry import RUNNABLE
from tests.chaos.fleet import Fleet, until
from tests.chaos.load import Load
from tests.chaos.market import (
    ASSET,
    GATEWAY,
    capital,
    governance,
    incidents,
    payout_terms,
    pool_terms,
    record,
    sold,
    vouched,
)
from tests.chaos.stream import Stream
from tests.chaos.watch import Shadows, Witness
from tests.integration.kafka.serving import PASSWORD, login
from tests.support.command import adjudex
from tools.broker import QUICK_JVM, Cluster

pytestmark = pytest.mark.timeout(600)
PARTITIONS = 2
RATE, LOAD_S = 100, 12.0
QUIET_S = 180.0
HORIZON_MS = 600_000
LEAVER, SHORT = "eip155:1:0x" + "1e" * 20, "short"
USERS = {f"User:{service}" for service in RUNNABLE}
_RULE = re.compile(
    r"Principal = (User:\S+) is Allowed operation = (\S+) .* based on rule MatchingAcl\(acl=StandardAcl\("
    r"resourceType=(\w+), resourceName=([^,]+), patternType=(\w+), principal=\S+, host=\*, operation=(\w+),"
)
_DENIED = re.compile(r"Principal = (User:\S+) is Denied operation = (\S+) .* on resource = (\S+)")


async def _happen(space: Space, fleet: Fleet, settings: KafkaSettings) -> None:
    """Let everything be decided that the chaos sends; then somebody takes out stake and capital."""
    shadows = Shadows(space, settings)
    stream = Stream(space, 1, shadows.store.now())
    paid: set[str] = set()

    def hear(content: Message, now: float) -> None:
        if isinstance(content, PayoutInstruction) and content.cover is None:
            paid.add(content.reference)
        stream.hear(content, now)

    load, witness = Load(stream, settings, RATE), Witness(space, settings, hear)
    for service in RUNNABLE:
        fleet.start(service, "a")
    tasks = [asyncio.create_task(witness.run())]

    async def is_quiet() -> bool:
        fleet.check_alive()
        return not stream.waiting and not await shadows.left(HORIZON_MS)

    async def are_paid() -> bool:
        # Again and again, as the notice may not be over.
        taken = _taking(load.count)
        await load.send(vouched(space, [record(space, *one, GATEWAY) for one in taken]))
        return len(paid) >= len(taken)

    try:
        for service in RUNNABLE:
            await fleet.shared(fleet.of(service), PARTITIONS)
        for given in (governance, capital, sold, incidents):
            await load.send(vouched(space, given(space, shadows.store.now())))
            await until("what is given to be decided", is_quiet, QUIET_S)
        tasks.append(asyncio.create_task(load.run()))
        await until("the load", lambda: _over(load), QUIET_S)
        stream.is_new_wanted = False
        await until("everything to be decided", is_quiet, QUIET_S)
        for step in (_opened(), _joining(), _asking()):
            await load.send(vouched(space, [record(space, *one, GATEWAY) for one in step]))
            await until("who leaves to be heard", is_quiet, QUIET_S)
        await load.send(_misplaced(space, shadows.store.now()))
        await until("who leaves to be paid", are_paid, QUIET_S)
        await until("receipts to be decided", is_quiet, QUIET_S)
        await fleet.leave()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await load.close()
        await shadows.close()


async def _over(load: Load) -> bool:
    return load.seconds >= LOAD_S


def _opened() -> list[tuple[Input, str]]:
    """Let stake and capital leave after a second."""
    terms = SetStakeTerms(asset=ASSET, stake_min_minor=1, notice=SECOND, payout=payout_terms())
    pool = OpenPool(pool=SHORT, title="Short notice", asset=ASSET, terms=pool_terms(SECOND))
    return [(terms, "terms-at-last"), (pool, "pool-at-last")]


def _joining() -> list[tuple[Input, str]]:
    deposit = {"provider": LEAVER, "tranche": "junior", "amount_minor": 1_000, "transaction": "in"}
    return [
        (RegisterAssessor(assessor=LEAVER), "leaver-joins"),
        (AddStake(assessor=LEAVER, amount_minor=10, transaction="in"), "leaver-stakes"),
        (DepositCapital.model_validate({"pool": SHORT} | deposit), "leaver-deposits"),
    ]


def _asking() -> list[tuple[Input, str]]:
    return [
        (RequestStakeWithdrawal(assessor=LEAVER, amount_minor=10), "leaver-asks"),
        (RequestCapitalWithdrawal(pool=SHORT, provider=LEAVER, tranche="junior", shares_minor=1_000), "leaver-redeems"),
    ]


def _taking(number: int) -> list[tuple[Input, str]]:
    return [
        (WithdrawStake(assessor=LEAVER), f"leaver-takes-stake-{number}"),
        (WithdrawCapital(pool=SHORT, provider=LEAVER, tranche="junior"), f"leaver-takes-capital-{number}"),
    ]


def _misplaced(space: Space, now: int) -> list[Outgoing]:
    """An input of each service in a partition that is not its own: it is passed on through the service's own inbox."""
    (report, *_) = incidents(space, now)
    contents = [
        *_opened()[:1],
        *_joining()[:1],
        (WithdrawClaim(cover="nothing", claimant=LEAVER, claim="nothing/1"), "withdraws"),
        (CastVote(case="claim/nothing/1", assessor=LEAVER, choice="accept", clause="1"), "votes"),
        *_joining()[-1:],
        (ReceiptFailed(payout="nothing/1/1", attempt=1, reason="no such payout"), "fails"),
    ]
    made = [record(space, content, f"misplaced-{name}", GATEWAY) for content, name in contents]
    made.append(report._replace(headers=tuple((name, _other(name, value)) for name, value in report.headers)))
    return [one._replace(partition=(one.partition + 1) % space.partitions) for one in vouched(space, made)]


def _other(name: str, value: bytes) -> bytes:
    return b"misplaced-report" if name == "ce_id" else value


def _used(said: str) -> set[Acl]:
    """Return the rights by which something was done: to be told of a topic follows from reading or writing it."""
    return {
        Acl(who, granted.lower(), kind.lower().replace("al_id", "al-id"), pattern.lower(), name)
        for who, done, kind, name, pattern, granted in _RULE.findall(said)
        if done == granted and who in USERS
    }


def test_each_service_uses_each_of_its_rights__and_needs_no_other(tmp_path: Path) -> None:
    users, data = dict.fromkeys(("admin", *RUNNABLE), PASSWORD), tmp_path / "data"
    with Cluster(users=users, jvm=(*QUICK_JVM, "-Dadjudex.authorizer.level=DEBUG")) as cluster:
        as_admin = login(cluster.bootstrap, "admin")
        options = ("--space", "rights", "--partitions", str(PARTITIONS), "--acls")
        made = adjudex("topics", "apply", "--data", data, *options, environment=as_admin)
        assert made.returncode == 0, made.stdout + made.stderr
        space = DataDirectory(data).space()
        fleet = Fleet(data, cluster.bootstrap, tmp_path / "logs", partial(login, cluster.bootstrap))
        try:
            asyncio.run(_happen(space, fleet, KafkaSettings.from_environment(environment=as_admin)))
        finally:
            fleet.kill()
        said = cluster.log().read_text(encoding="utf-8", errors="replace")
    assert _used(said) == {acl for acl in rights(space, Outsiders()) if acl.principal in USERS}
    assert [denied for denied in _DENIED.findall(said) if denied[0] in USERS] == []
