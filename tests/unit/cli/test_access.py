"""Rights are the least that the code needs: each service may write what its routes name, and nobody else its log."""

import re
from pathlib import Path

import pytest

import services
from schemas.topics import OWNED, SERVICES, TELLS, TOPICS
from services.cli.access import Outsiders, outsiders, rights, writers
from services.cli.console import OperationRefusedError
from services.registry import new_space

SPACE = new_space("main", 2)
ROOT = Path(str(services.__path__[0]))


def written(user: str, others: Outsiders | None = None) -> set[str]:
    found = rights(SPACE, others or Outsiders())
    return {acl.name for acl in found if acl.principal == f"User:{user}" and acl.operation == "write"}


@pytest.mark.parametrize("service", SERVICES)
def test_service_tells__whom_its_routes_name(service: str) -> None:
    source = (ROOT / service / "route.py").read_text()
    named = {name for name in re.findall(r'"(\w+)"', source) if name in SERVICES}
    assert set(TELLS[service]) == named


@pytest.mark.parametrize("service", SERVICES)
def test_service__writes_its_log_its_inbox_and_those_it_tells(service: str) -> None:
    inboxes = {f"main.{name}.inbox" for name in (service, *TELLS[service])}
    assert written(service) == {f"main.{service}.events", f"main.{service}.events-", *inboxes}


def test_each_log_and_each_owned_stream__has_one_writer() -> None:
    held = rights(SPACE, outsiders(SPACE, ["bot=incident.reports"], ["explorer"], ["ada"]))
    for topic, owner in writers(SPACE).items():
        assert {acl.principal for acl in held if acl.name == topic and acl.operation == "write"} == {f"User:{owner}"}
    assert {acl.principal for acl in held if acl.kind == "transactional-id"} == {f"User:{name}" for name in SERVICES}


def test_outsiders__post_to_their_streams_and_read_what_is_decided() -> None:
    others = outsiders(SPACE, ["bot=incident.reports,claim.filings", "bot=assessor.votes"], ["explorer"], ["ada"])
    assert written("bot", others) == {"main.incident.reports", "main.claim.filings", "main.assessor.votes"}
    assert written("explorer", others) == written("ada", others) == set()
    held = [acl for acl in rights(SPACE, others) if acl.principal == "User:explorer"]
    read = {acl.name for acl in held if acl.kind == "topic"}
    assert read == {f"main.{topic.name}" for topic in TOPICS if topic.kind in ("log", "output")}
    assert {written(owner) == {f"main.{stream}"} for stream, owner in OWNED.items()} == {True}


def test_outsider_whose_name_begins_like_a_service__joins_groups_of_its_own_only() -> None:
    held = rights(SPACE, outsiders(SPACE, ["cl=claim.filings"], ["pay"], ()))
    for service in SERVICES:
        group = f"main.{service}"
        joined = [acl for acl in held if acl.kind == "group" and acl.concerns(group) and acl.name != f"{group}."]
        fitting = [acl for acl in joined if acl.pattern == "prefixed" or acl.name == group]
        assert [acl.principal for acl in fitting] == [f"User:{service}"]
    with pytest.raises(OperationRefusedError, match="is a service of the space"):
        outsiders(SPACE, ["claims=claim.filings"], (), ())


@pytest.mark.parametrize(
    ("spelled", "wrong"),
    [
        ("bot=governance.actions", "governance.actions is written by root alone"),
        ("bot=claims.events", "claims.events is no stream that outsiders write"),
        ("bot", "is no stream"),
        ("=claim.filings", "names no producer"),
    ],
)
def test_producer_of_what_outsiders_do_not_write__refused(spelled: str, wrong: str) -> None:
    with pytest.raises(OperationRefusedError, match=wrong):
        outsiders(SPACE, [spelled], (), ())
