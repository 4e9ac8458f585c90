"""A cluster that is spoken to over TLS: what works, and what is said when it does not."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from services.process.shell import FAILED, STOPPED_LATE
from tests.integration.kafka.serving import PATIENCE_S, ready, running
from tests.support.certificates import Authority
from tests.support.command import adjudex
from tools.broker import HOST, Cluster

PASSWORD = "secret"
Environment = Mapping[str, str]
NEW = ("--space", "main", "--partitions", "2")


def spoken(**held: object) -> Environment:
    return {f"ADJUDEX_KAFKA_{name.upper()}": str(value) for name, value in held.items()}


def listener(own: Authority, clients: Authority) -> dict[str, str]:
    """Settings of a broker whose clients' listener shows a certificate and believes an authority."""
    both = own.folder / f"{own.name}-broker-both.pem"
    certificate, key = own.issue("broker", HOST)
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    held = {"keystore": both, "truststore": clients.certificate}
    return {
        f"listener.name.client.ssl.{store}.{name}": str(value)
        for store, file in held.items()
        for name, value in {"type": "PEM", "location": file}.items()
    }


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture(scope="module")
def stranger(authority: Authority) -> Authority:
    return Authority(authority.folder, "stranger")


@pytest.fixture(scope="module")
def login(authority: Authority) -> Iterator[Environment]:
    """How to log in, by name and password and over TLS, on a cluster that wants that."""
    protocols = "CLIENT:SASL_SSL,CONTROLLER:SASL_PLAINTEXT,BROKER:SASL_PLAINTEXT"
    settings = {"listener.security.protocol.map": protocols, **listener(authority, authority)}
    with Cluster(users={"admin": PASSWORD}, settings=settings) as cluster:
        yield {
            "ADJUDEX_KAFKA": cluster.bootstrap,
            **spoken(security_protocol="SASL_SSL", username="admin", password=PASSWORD, ca_file=authority.certificate),
        }


@pytest.fixture(scope="module")
def space(login: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("tls") / "space"
    made = adjudex("topics", "apply", "--data", data, *NEW, environment=login)
    assert made.returncode == 0, made.stdout + made.stderr
    return data


def test_commands_and_a_service__work__when_the_authority_is_known(space: Path, login: Environment) -> None:
    ended = adjudex("doctor", "--data", space, "--json", environment=login)
    if not ended.stdout:  # a loaded machine may not answer in time, which is said and is no finding
        ended = adjudex("doctor", "--data", space, "--json", environment=login)
    assert ended.stdout, ended.stderr
    checks = {check["name"]: check["status"] for check in json.loads(ended.stdout)["checks"]}
    assert checks["cluster"] == checks["topics"] == "ok"
    with running("claims", space, login) as (process, url):
        assert ready(url)["partitions"] == [0, 1]
        process.terminate()
        assert process.wait(PATIENCE_S) in {0, STOPPED_LATE}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"CA_FILE": "{stranger}"}, "has a certificate that is not accepted: unable to get local issuer certificate"),
        ({"CA_FILE": ""}, "ADJUDEX_KAFKA_CA_FILE names the authorities that are believed"),
        ({"": "{other_name}"}, "Hostname mismatch, certificate is not valid for 'localhost'"),
        ({"SECURITY_PROTOCOL": "PLAINTEXT", "CA_FILE": ""}, "speaks TLS; ADJUDEX_KAFKA_SECURITY_PROTOCOL is PLAINTEXT"),
        ({"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "CA_FILE": ""}, "and must be SSL or SASL_SSL"),
        ({"SECURITY_PROTOCOL": "SSL"}, "perhaps it wants a login, and SSL has none"),
        ({"PASSWORD": "wrong"}, "lets nobody in by this name and password"),
        ({"SASL_MECHANISM": "PLAIN"}, "knows no login of this kind; ADJUDEX_KAFKA_SASL_MECHANISM"),
        ({"CA_FILE": "{absent}"}, "ADJUDEX_KAFKA_CA_FILE: {absent} cannot be used: No such file or directory"),
        ({"SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "ADJUDEX_KAFKA_CA_FILE: SASL_PLAINTEXT uses no TLS"),
    ],
)
def test_command__says_what_is_wrong__when_it_cannot_connect(
    wrong: Environment, said: str, space: Path, login: Environment, stranger: Authority
) -> None:
    names = {
        "stranger": str(stranger.certificate),
        "other_name": login["ADJUDEX_KAFKA"].replace(HOST, "localhost"),
        "absent": str(stranger.folder / "absent.pem"),
    }
    changed = {f"ADJUDEX_KAFKA_{key}".rstrip("_"): value.format(**names) for key, value in wrong.items()}
    ended = adjudex("topics", "plan", "--data", space, "--json", environment={**login, **changed})
    assert ended.returncode == 1
    assert said.format(**names) in json.loads(ended.stderr.splitlines()[-1])["error"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"CA_FILE": "{stranger}"}, "has a certificate that is not accepted"),
        ({"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "CA_FILE": ""}, "speaks TLS"),
    ],
)
def test_service__ends_and_says_what_is_wrong__when_it_can_never_connect(
    wrong: Environment, said: str, space: Path, login: Environment, stranger: Authority
) -> None:
    changed = {f"ADJUDEX_KAFKA_{key}": value.format(stranger=stranger.certificate) for key, value in wrong.items()}
    with running("claims", space, {**login, **changed}) as (process, _):
        _, log = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == FAILED
    assert said in log


def test_client_certificate__is_asked_for__when_the_listener_wants_one(
    authority: Authority, stranger: Authority, tmp_path: Path
) -> None:
    settings = {
        "listener.security.protocol.map": "CLIENT:SSL,CONTROLLER:PLAINTEXT",
        "listener.name.client.ssl.client.auth": "required",
        **listener(authority, authority),
    }
    with Cluster(settings=settings) as cluster:
        base = spoken(security_protocol="SSL", ca_file=authority.certificate)

        def apply(**held: object) -> tuple[int, str]:
            environment = {"ADJUDEX_KAFKA": cluster.bootstrap, **base, **spoken(**held)}
            ended = adjudex("topics", "apply", "--data", tmp_path / "space", *NEW, environment=environment)
            return ended.returncode, ended.stderr

        certificate, key = stranger.issue("client")
        for code, said in (apply(), apply(certificate_file=certificate, key_file=key)):
            assert code == FAILED
            assert "ADJUDEX_KAFKA_CERTIFICATE_FILE" in said
        certificate, key = authority.issue("client")
        assert apply(certificate_file=certificate, key_file=key) == (0, "")
