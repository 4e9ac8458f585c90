"""How to reach a cluster: addresses and security, from options and the environment."""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_PREFIX = "ADJUDEX_KAFKA"
_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


class SettingsError(ValueError):
    """A setting cannot be used: the message says which, what it is and what would be accepted."""


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Addresses and security of a cluster, and the times that say when something is wrong.

    `bootstrap` is `HOST:PORT[,HOST:PORT...]`. `transaction_timeout_ms` is after how long the broker aborts what a dead
    owner left open: until then nobody can read past it, so it is short. `request_timeout_ms` bounds one request,
    `fetch_wait_ms` how long a fetch waits at the broker for news.
    """

    bootstrap: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    client_id: str = "adjudex"
    transaction_timeout_ms: int = 10_000
    request_timeout_ms: int = 10_000
    fetch_wait_ms: int = 2_000

    def __post_init__(self) -> None:
        for address in self.bootstrap.split(","):
            host, _, port = address.strip().rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 2**16:
                text = (
                    f"{_PREFIX}: {address.strip() or '(nothing)'} is no address; HOST:PORT[,HOST:PORT...] is accepted"
                )
                raise SettingsError(text)
        if self.security_protocol not in _PROTOCOLS:
            raise _unaccepted("SECURITY_PROTOCOL", self.security_protocol, _PROTOCOLS)
        if self.is_sasl:
            if self.sasl_mechanism not in _MECHANISMS:
                raise _unaccepted("SASL_MECHANISM", self.sasl_mechanism, _MECHANISMS)
            if not self.username or self.password is None:
                text = f"{self.security_protocol} needs {_PREFIX}_USERNAME and {_PREFIX}_PASSWORD (or _PASSWORD_FILE)"
                raise SettingsError(text)
        files = {"CA_FILE": self.ca_file, "CERTIFICATE_FILE": self.certificate_file, "KEY_FILE": self.key_file}
        unused = [f"{_PREFIX}_{name}" for name, file in files.items() if file is not None]
        if unused and not self.is_tls:
            text = f"{', '.join(unused)}: {self.security_protocol} uses no TLS; SSL or SASL_SSL does"
            raise SettingsError(text)
        if self.key_file is not None and self.certificate_file is None:
            raise SettingsError(f"{_PREFIX}_KEY_FILE needs {_PREFIX}_CERTIFICATE_FILE")

    def __repr__(self) -> str:
        """Say everything but the password: settings end up in logs."""
        return f"KafkaSettings({self.bootstrap}, {self.security_protocol}, username={self.username})"

    @property
    def is_sasl(self) -> bool:
        """Whether clients log in with a name and a password."""
        return self.security_protocol.startswith("SASL")

    @property
    def is_tls(self) -> bool:
        """Whether connections are encrypted, and brokers show certificates."""
        return self.security_protocol.endswith("SSL")

    @classmethod
    def from_environment(cls, bootstrap: str | None = None, environment: Mapping[str, str] = os.environ) -> Self:
        """Read `ADJUDEX_KAFKA` and `ADJUDEX_KAFKA_*`; an option's `bootstrap` comes first. Raises SettingsError.

        | variable | holds |
        |---|---|
        | ADJUDEX_KAFKA | HOST:PORT[,HOST:PORT...] |
        | ADJUDEX_KAFKA_SECURITY_PROTOCOL | PLAINTEXT (default), SSL, SASL_PLAINTEXT, SASL_SSL |
        | ADJUDEX_KAFKA_SASL_MECHANISM | SCRAM-SHA-512 (default), SCRAM-SHA-256, PLAIN |
        | ADJUDEX_KAFKA_USERNAME | name |
        | ADJUDEX_KAFKA_PASSWORD, _PASSWORD_FILE | password, or the file that holds it |
        | ADJUDEX_KAFKA_CA_FILE, _CERTIFICATE_FILE, _KEY_FILE | PEM files for TLS; the system's authorities by default |
        """
        found = {name.removeprefix(f"{_PREFIX}_"): value for name, value in environment.items() if value}
        addresses = bootstrap or environment.get(_PREFIX)
        if not addresses:
            text = f"which cluster is not said: name it with --kafka or in {_PREFIX} (HOST:PORT[,HOST:PORT...])"
            raise SettingsError(text)
        password = found.get("PASSWORD")
        if password is None and "PASSWORD_FILE" in found:
            try:
                password = Path(found["PASSWORD_FILE"]).read_text(encoding="utf-8").rstrip("\r\n")
            except OSError as error:
                text = f"{_PREFIX}_PASSWORD_FILE: {found['PASSWORD_FILE']} cannot be read: {error.strerror}"
                raise SettingsError(text) from None
        made = cls(
            addresses,
            security_protocol=found.get("SECURITY_PROTOCOL", "PLAINTEXT").upper(),
            sasl_mechanism=found.get("SASL_MECHANISM", "SCRAM-SHA-512").upper(),
            username=found.get("USERNAME"),
            password=password,
            ca_file=_path(found, "CA_FILE"),
            certificate_file=_path(found, "CERTIFICATE_FILE"),
            key_file=_path(found, "KEY_FILE"),
        )
        if made.is_tls:
            made._tls()  # what is wrong with the files is said now, not by the first connection
        return made

    def client(self) -> dict[str, Any]:
        """Return what every client of aiokafka is given; raises SettingsError when a PEM file cannot be used."""
        given: dict[str, Any] = {
            "bootstrap_servers": [address.strip() for address in self.bootstrap.split(",")],
            "client_id": self.client_id,
            "request_timeout_ms": self.request_timeout_ms,
            "security_protocol": self.security_protocol,
        }
        if self.is_sasl:
            given |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        if self.is_tls:
            given["ssl_context"] = self._tls()
        return given

    def _tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise _unusable("CA_FILE", self.ca_file, error) from None
        if self.certificate_file is None:
            return context
        try:
            # A password, lest a key that has one is asked for it on the terminal.
            context.load_cert_chain(self.certificate_file, self.key_file, password="")
        except OSError as error:
            name = "CERTIFICATE_FILE" if self.key_file is None else "CERTIFICATE_FILE or _KEY_FILE"
            held = self.certificate_file if self.key_file is None else f"{self.certificate_file}, {self.key_file}"
            raise _unusable(name, held, error) from None
        return context


def _path(found: Mapping[str, str], name: str) -> Path | None:
    return Path(found[name]) if name in found else None


def _unaccepted(name: str, value: str, accepted: tuple[str, ...]) -> SettingsError:
    return SettingsError(f"{_PREFIX}_{name}: {value} is not known; {', '.join(accepted)} are accepted")


def _unusable(name: str, file: object, error: OSError) -> SettingsError:
    why = error.strerror or str(error)
    return SettingsError(f"{_PREFIX}_{name}: {file} cannot be used: {why}; PEM without a password is accepted")
