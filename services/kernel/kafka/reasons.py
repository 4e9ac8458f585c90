"""Why a connection cannot be used, said so that somebody can mend it.

aiokafka logs why a broker cannot be reached, and then raises an error that no longer says it.
"""

import ssl
from asyncio import IncompleteReadError
from collections.abc import Sequence

from aiokafka import errors as kafka_errors

_ALERTS = (0x15030100, 0x15030200, 0x15030300, 0x15030400)
"""How an alert of TLS begins: a broker that expects TLS answers so to a request, where the answer's length belongs."""


class UnusableError(kafka_errors.KafkaConnectionError):  # type: ignore[misc]
    """A connection that stays unusable however often it is tried: a certificate, the protocol or a login is wrong."""

    def __str__(self) -> str:
        return str(self.args[0])


class UnreachableError(kafka_errors.KafkaConnectionError):  # type: ignore[misc]
    """A connection that may be usable later."""

    def __str__(self) -> str:
        return str(self.args[0])


Reason = UnusableError | UnreachableError


def reason_of(error: BaseException, address: str, protocol: str) -> Reason:
    """Say why there is no connection to `address`, spoken to by a security protocol."""
    causes = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    final = _of_tls(causes, protocol) or _of_login(error, protocol)
    if final is not None:
        return UnusableError(f"{address} {final}")
    dropped = isinstance(causes[-1], (ConnectionResetError, IncompleteReadError, ssl.SSLError))
    if dropped and protocol.endswith("SSL"):
        text = (
            f"{address} breaks off: perhaps it speaks no TLS (ADJUDEX_KAFKA_SECURITY_PROTOCOL is {protocol}), or asks "
            f"for a certificate (ADJUDEX_KAFKA_CERTIFICATE_FILE)"
        )
        return UnreachableError(text)
    return UnreachableError(f"{address}: {str(error) or type(error).__name__}")


def _of_tls(causes: Sequence[BaseException], protocol: str) -> str | None:
    """Say what is wrong with certificates, or with speaking TLS at all, when that stays so."""
    error, cause = causes[0], causes[-1]
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"has a certificate that is not accepted: {error.verify_message}; ADJUDEX_KAFKA_CA_FILE names the "
            f"authorities that are believed, and the certificate must name the host as the address does"
        )
    if isinstance(cause, ssl.SSLError) and "CERTIFICATE" in (cause.reason or ""):
        return (
            f"does not accept this side's certificate, or wants one ({cause.reason}); ADJUDEX_KAFKA_CERTIFICATE_FILE "
            f"and _KEY_FILE name it"
        )
    if isinstance(cause, IncompleteReadError) and cause.expected in _ALERTS:
        return f"speaks TLS; ADJUDEX_KAFKA_SECURITY_PROTOCOL is {protocol} and must be SSL or SASL_SSL"
    return None


def _of_login(error: BaseException, protocol: str) -> str | None:
    """Say what is wrong with logging in."""
    if isinstance(error, kafka_errors.SaslAuthenticationFailed):
        return f"lets nobody in by this name and password ({error}); ADJUDEX_KAFKA_USERNAME, _PASSWORD say them"
    if isinstance(error, kafka_errors.UnsupportedSaslMechanismError):
        return "knows no login of this kind; ADJUDEX_KAFKA_SASL_MECHANISM says which one is meant"
    if isinstance(error, kafka_errors.IllegalSaslStateError):
        without = protocol.removeprefix("SASL_")
        return f"lets nobody log in; ADJUDEX_KAFKA_SECURITY_PROTOCOL is {protocol} and must be {without}"
    return None


def all_failed(failures: Sequence[Reason], addresses: int, protocol: str) -> Reason:
    """Say why none of so many addresses of a cluster can be used; `failures` are of those that could not be reached."""
    text = "; ".join(dict.fromkeys(map(str, failures)))
    if not failures:
        # Connected, and then no answer.
        login = "" if protocol.startswith("SASL") else f": perhaps it wants a login, and {protocol} has none"
        return UnreachableError(f"the cluster breaks off{login}")
    is_final = len(failures) == addresses and all(isinstance(failure, UnusableError) for failure in failures)
    return UnusableError(text) if is_final else UnreachableError(text)
