"""A throwaway Apache Kafka for tests, the demonstration and the benchmark: real brokers (KRaft), no containers.

    python -m tools.broker [--nodes N] [--port P] -- COMMAND...    runs COMMAND with ADJUDEX_KAFKA=host:port,...
    python -m tools.broker [--nodes N] [--port P]                  prints the addresses; runs until told to stop

It needs a JDK and the jars of ``make build/kafka/.jars``. Brokers listen on 127.0.0.1 only. They and their data are
gone when ``stop`` returns, and also when the process that started them ends in any other way, ``kill -9`` included.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import fcntl
import os
import random
import re
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

ROOT = Path(__file__).resolve().parent.parent
JARS = ROOT / "build" / "kafka" / "jars"
ARCHIVE = "classes.jsa"  # beside the jars' folder: see `prepare`
LOGGING = ROOT / "deploy" / "kafka" / "log4j2.properties"

HOST = "127.0.0.1"
# Below the range from which systems give ports to clients: nobody takes a dead broker's port before its restart.
PORTS = range(20_000, 32_000)

QUICK_JVM = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # starts soon, runs slowly
STEADY_JVM = ("-Xms1g", "-Xmx1g", "-XX:+UseG1GC")  # for measurements: with the optimising compiler

START_S = 100  # a loaded machine is slow, not wrong
STOP_S = 5
POLL_S = 0.02
TAIL_LINES = 40

STARTED = re.compile(rb"\bKafka Server started\b")
PORT_TAKEN = re.compile(r"Address already in use|BindException")
ATTEMPTS = 5

# Brokers and controllers among themselves, when there are users: not the users' mechanism, whose credentials are data
# of the cluster that they are about to form.
INNER_USER = "broker"
NAME = re.compile(r"[A-Za-z0-9_.-]+")  # what needs no quoting in the files and options of Kafka

# Kills brokers and removes data when its parent is gone. Not PR_SET_PDEATHSIG: that fires when the thread ends which
# started the broker, for example one of asyncio.to_thread. Each line lists the processes that are alive by then.
GUARD = """
alive=
while read -r line; do alive=$line; done
[ -z "$alive" ] || kill -9 $alive 2>/dev/null
rm -rf -- "$@"
"""


class NotStarted(RuntimeError):
    """A broker did not start; the message ends with the tail of its log."""


class Ports:
    """Ports that are free, and stay ours: no other process that asks here gets them before they are released."""

    def __init__(self) -> None:
        self._locks: list[IO[bytes]] = []
        self._random = random.Random(os.getpid() ^ time.time_ns())  # noqa: S311 - to collide less often, no secret

    def take(self, wanted: int | None = None) -> int:
        """Return a free port, or the wanted one."""
        for port in [wanted] if wanted is not None else self._random.sample(PORTS, len(PORTS)):
            if self._lock(port):
                return port
        raise NotStarted(f"port {wanted} is in use" if wanted is not None else "no port is free")

    def release(self) -> None:
        """Let others have them."""
        while self._locks:
            self._locks.pop().close()

    def _lock(self, port: int) -> bool:
        folder = Path(tempfile.gettempdir()) / f"adjudex-ports-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = (folder / str(port)).open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the JVM does
                probe.bind((HOST, port))
        except OSError:
            lock.close()
            return False
        self._locks.append(lock)
        return True


@dataclass
class Node:
    """One broker: its place on disk, its ports, and its process while there is one."""

    number: int
    folder: Path
    client_port: int = 0
    controller_port: int = 0
    broker_port: int = 0  # between brokers, when there are users
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    log_offset: int = 0  # where the log of this process begins

    @property
    def log(self) -> Path:
        """Everything it says."""
        return self.folder / "server.log"

    @property
    def properties(self) -> Path:
        """Its settings."""
        return self.folder / "server.properties"

    @property
    def data(self) -> Path:
        """What it stores."""
        return self.folder / "data"

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.poll() is None

    def said(self) -> bytes:
        """Return the log of its current process."""
        with self.log.open("rb") as log:
            log.seek(self.log_offset)
            return log.read()

    def tail(self) -> str:
        """Return the last lines of its log, for an error message."""
        lines = self.said().decode(errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join([f"node {self.number}, end of {self.log}:", *lines])


class Cluster:
    """Brokers that live for one test, demonstration or measurement. Nodes are numbered from 1.

    Each node is broker and controller. One node keeps one copy of everything; from two nodes on there are up to three
    copies, and a write needs all but one of them. A cluster is not safe for use by several threads at once.

    With ``users`` (names and passwords), clients log in by SASL_PLAINTEXT and SCRAM-SHA-512 and may do only what ACLs
    allow, except ``super_user``, who must be one of the users and may do everything.

    Args:
        nodes: How many brokers.
        users: Passwords by name; without, everybody may do everything.
        super_user: Who may do everything, when there are users.
        port: The clients' port of the first node; the next nodes take the next ones. By default, free ports.
        settings: More settings of the brokers, or others, as in ``server.properties``.
        jvm: Flags of the brokers' JVM.
        jars: Where Kafka is.
        folder: Where the nodes' folders go. By default a temporary one. Data kept by an earlier cluster are used again.
        keep: Leave data and logs when stopped, and stop in order.
    """

    def __init__(  # noqa: PLR0913 - all by name, and none needed
        self,
        nodes: int = 1,
        *,
        users: Mapping[str, str] | None = None,
        super_user: str = "admin",
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        jvm: Sequence[str] = QUICK_JVM,
        jars: Path = JARS,
        folder: Path | None = None,
        keep: bool = False,
    ) -> None:
        assert nodes > 0
        self.users = dict(users or {})
        if self.users:
            assert super_user in self.users, f"the super user {super_user!r} is none of the users"
            assert INNER_USER not in self.users
            assert all(map(NAME.fullmatch, [*self.users, *self.users.values()])), "letters, digits and _.- only"
        self.super_user = super_user
        self.keep = keep
        self._count = nodes
        self._wanted_port = port
        self._settings = dict(settings or {})
        self._jvm = tuple(jvm)
        self._jars = jars
        self._given_folder = folder
        self._inner_password = secrets.token_hex(16)
        self._ports = Ports()
        self._nodes: dict[int, Node] = {}
        self._guard: subprocess.Popen[bytes] | None = None

    # ------------------------------------------------------------------------------------------------ what it is

    @property
    def bootstrap(self) -> str:
        """The addresses for clients: ``127.0.0.1:port,...``. They stay the same until ``stop``."""
        return ",".join(f"{HOST}:{node.client_port}" for node in self._nodes.values())

    @property
    def numbers(self) -> tuple[int, ...]:
        """All nodes, dead ones too: what Kafka calls ``node.id`` or broker id."""
        return tuple(self._nodes)

    def pid(self, node: int = 1) -> int | None:
        """Return the process of a node, or None when it is dead: for signals other than those below."""
        found = self._nodes[node]
        return found.process.pid if found.process is not None and found.is_alive else None

    def log(self, node: int = 1) -> Path:
        """Return the file with everything a node says."""
        return self._nodes[node].log

    # --------------------------------------------------------------------------------------------- its whole life

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start all nodes and return when they answer.

        Raises:
            NotStarted: When one does not; nothing is left running.
        """
        assert not self._nodes, "started already"
        if not any(self._jars.glob("kafka_*.jar")):
            raise NotStarted(f"no Kafka in {self._jars}: run `make build/kafka/.jars`")
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._start()
                return
            except BaseException as error:
                self._end(in_order=False)
                taken = isinstance(error, NotStarted) and PORT_TAKEN.search(str(error))
                if not taken or self._wanted_port is not None or attempt == ATTEMPTS:
                    raise

    def stop(self) -> None:
        """End all nodes and, unless asked to keep them, remove their data. May be called twice."""
        self._end(in_order=self.keep)

    # ---------------------------------------------------------------------------------------- what happens to nodes

    def kill(self, node: int = 1) -> None:
        """End a node as ``kill -9`` does; return when it is dead."""
        found = self._nodes[node]
        assert found.process is not None
        found.process.kill()
        found.process.wait()
        self._tell_guard()

    def shut_down(self, node: int = 1) -> None:
        """End a node in order: it hands over its leaderships and writes down what it has."""
        found = self._nodes[node]
        assert found.process is not None
        found.process.terminate()
        try:
            found.process.wait(START_S)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"does not shut down: {found.tail()}") from None
        self._tell_guard()

    def restart(self, node: int = 1) -> None:
        """Start a node again on its data and ports (shut down in order if it still runs); return when it answers.

        Raises:
            NotStarted: When it does not.
        """
        found = self._nodes[node]
        if found.is_alive:
            self.shut_down(node)
        self._launch(found)
        self._wait([found])

    # -------------------------------------------------------------------------------------------------- starting

    def _start(self) -> None:
        folder = self._given_folder or Path(tempfile.mkdtemp(prefix="adjudex-kafka-"))
        for number in range(1, self._count + 1):
            node = self._nodes[number] = Node(number, folder / f"node-{number}")
            node.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        removed = [node.folder for node in self._nodes.values()] if self._given_folder else [folder]
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", *([] if self.keep else removed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C in the terminal is for us; the guard and the brokers follow
        )
        for index, node in enumerate(self._nodes.values()):
            node.client_port = self._ports.take(None if self._wanted_port is None else self._wanted_port + index)
            node.controller_port = self._ports.take()
            node.broker_port = self._ports.take() if self.users else 0
        for node in self._nodes.values():
            lines = {**self._properties(node), **self._settings}
            node.properties.write_text("".join(f"{key}={value}\n" for key, value in lines.items()), encoding="utf-8")
        self._format([node for node in self._nodes.values() if not (node.data / "meta.properties").exists()])
        for node in self._nodes.values():
            self._launch(node)
        self._wait(self._nodes.values())

    def _properties(self, node: Node) -> dict[str, str]:
        copies = min(3, self._count)
        needed = max(1, copies - 1)
        protocol = "SASL_PLAINTEXT" if self.users else "PLAINTEXT"
        listeners = {"CLIENT": node.client_port, "CONTROLLER": node.controller_port}
        if self.users:
            listeners["BROKER"] = node.broker_port
        properties = {
            "node.id": node.number,
            "process.roles": "broker,controller",
            "controller.quorum.voters": ",".join(
                f"{other.number}@{HOST}:{other.controller_port}" for other in self._nodes.values()
            ),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "BROKER" if self.users else "CLIENT",
            "listeners": ",".join(f"{name}://{HOST}:{port}" for name, port in listeners.items()),
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name in listeners),
            "log.dirs": node.data,
            # Copies.
            "default.replication.factor": copies,
            "min.insync.replicas": needed,  # also of the offsets topic, which has no such setting of its own
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": needed,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": needed,
            "unclean.leader.election.enable": "false",
            "controlled.shutdown.enable": "true",
            # As a space needs it.
            "auto.create.topics.enable": "false",
            "transaction.max.timeout.ms": 15_000,
            # Small and soon there.
            "offsets.topic.num.partitions": 8,
            "transaction.state.log.num.partitions": 8,
            "share.coordinator.state.topic.num.partitions": 1,
            "group.initial.rebalance.delay.ms": 0,
            "log.cleaner.dedupe.buffer.size": 16 << 20,
            # A dead node is noticed soon.
            "broker.heartbeat.interval.ms": 500,
            "broker.session.timeout.ms": 3_000,
            "controller.quorum.election.timeout.ms": 500,
            "controller.quorum.fetch.timeout.ms": 1_500,
            "controller.quorum.election.backoff.max.ms": 500,
            "replica.lag.time.max.ms": 3_000,
        }
        if self.users:
            properties |= self._security()
        return {key: str(value) for key, value in properties.items()}

    def _security(self) -> dict[str, str]:
        inner = (
            "org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'username="{INNER_USER}" password="{self._inner_password}" user_{INNER_USER}="{self._inner_password}";'
        )
        return {
            "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.client.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "listener.name.broker.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.broker.plain.sasl.jaas.config": inner,
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": inner,
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "sasl.mechanism.controller.protocol": "PLAIN",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:{INNER_USER};User:{self.super_user}",
        }

    def _format(self, nodes: Iterable[Node]) -> None:
        # Random, as a client must not take the next cluster on the same port for this one; no option begins with an A.
        cluster = base64.urlsafe_b64encode(b"\0" + secrets.token_bytes(15)).decode().rstrip("=")
        credentials = [
            option
            for name, password in self.users.items()
            for option in ("--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]")
        ]
        running: list[tuple[Node, subprocess.Popen[bytes]]] = []
        for node in nodes:
            command = java_tool(
                *("kafka.tools.StorageTool", "format", "--cluster-id", cluster),
                *("--config", str(node.properties), *credentials),
                jars=self._jars,
            )
            command[1:1] = archive(self._jars)
            with node.log.open("ab") as log:
                running.append((node, self._spawn(command, log)))
        try:
            for node, process in running:
                if process.wait() != 0:
                    raise NotStarted(f"cannot format its storage: {node.tail()}")
        finally:
            for _, process in running:
                process.kill()

    def _launch(self, node: Node) -> None:
        command = [
            java(),
            *archive(self._jars),
            *self._jvm,
            f"-Dlog4j2.configurationFile={LOGGING}",
            "-Dadjudex.log.level=INFO",
            *("-cp", str(self._jars / "*"), "kafka.Kafka", str(node.properties)),
        ]
        with node.log.open("ab") as log:
            node.log_offset = log.seek(0, os.SEEK_END)
            node.process = self._spawn(command, log)
        self._tell_guard()

    def _spawn(self, command: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise NotStarted(f"no {command[0]} here: a broker needs a JDK >= 17 (PATH or JAVA_HOME)") from None

    def _wait(self, nodes: Iterable[Node]) -> None:
        deadline = time.monotonic() + START_S
        for node in nodes:
            while not (STARTED.search(node.said()) and answers(node.client_port)):
                if not node.is_alive:
                    raise NotStarted(f"ended at once: {node.tail()}")
                if time.monotonic() > deadline:
                    raise NotStarted(f"not ready after {START_S} s: {node.tail()}")
                time.sleep(POLL_S)

    # -------------------------------------------------------------------------------------------------- ending

    def _end(self, *, in_order: bool) -> None:
        alive = [node.process for node in self._nodes.values() if node.process is not None and node.is_alive]
        if in_order:
            for process in alive:
                process.terminate()
            deadline = time.monotonic() + STOP_S  # the last of several wait in vain for a quorum
            for process in alive:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0, deadline - time.monotonic()))
        for process in alive:
            process.kill()
            process.wait()
        if self._guard is not None:
            self._tell_guard()
            assert self._guard.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.close()
            self._guard.wait()  # removes the data
            self._guard = None
        self._ports.release()
        self._nodes.clear()

    def _tell_guard(self) -> None:
        assert self._guard is not None
        assert self._guard.stdin is not None
        alive = [str(node.process.pid) for node in self._nodes.values() if node.process is not None and node.is_alive]
        with contextlib.suppress(BrokenPipeError):  # somebody killed it: nobody to tell
            self._guard.stdin.write(f"{' '.join(alive)}\n".encode())
            self._guard.stdin.flush()


def answers(port: int) -> bool:
    """Return whether somebody accepts connections there."""
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def java() -> str:
    """Return the Java that is meant: of JAVA_HOME, else the first in PATH."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin" / "java") if home else "java"


def java_tool(main_class: str, *args: str, jars: Path = JARS) -> list[str]:
    """Return the command line of one of Kafka's own tools.

    For example ``org.apache.kafka.tools.consumer.ConsoleConsumer``, ``org.apache.kafka.tools.ConsoleProducer``,
    ``org.apache.kafka.tools.consumer.group.ConsumerGroupCommand`` and ``org.apache.kafka.tools.AclCommand``. Results go
    to stdout, logs to stderr.
    """
    return [
        java(),
        *("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Dlog4j2.configurationFile={LOGGING}"),
        *("-cp", str(jars / "*"), main_class, *args),
    ]


def archive(jars: Path) -> list[str]:
    """Return the flag that lets a JVM take Kafka's classes from the archive, if there is one."""
    path = jars.parent / ARCHIVE
    return [f"-XX:SharedArchiveFile={path}"] if path.exists() else []


def prepare(jars: Path = JARS) -> None:
    """Archive the classes that a broker loads, as the JVM keeps them: halves the time that a start takes.

    A JVM other than the one that made the archive ignores it.
    """
    made, path = jars.parent / f"{ARCHIVE}.new", jars.parent / ARCHIVE
    path.unlink(missing_ok=True)
    with Cluster(jars=jars, jvm=[*QUICK_JVM, f"-XX:ArchiveClassesAtExit={made}"]) as cluster:
        cluster.shut_down()
    if made.exists():
        made.replace(path)


# ---------------------------------------------------------------------------------------------------- command line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run brokers, and a command beside them; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.broker",
        description="Run a throwaway Apache Kafka, and a command with its addresses in ADJUDEX_KAFKA.",
    )
    parser.add_argument("--nodes", type=int, default=1, help="how many brokers (1)")
    parser.add_argument("--port", type=int, help="the port of the first; the others take the next ones")
    parser.add_argument("--folder", type=Path, help="keep the data there, and use what is there")
    parser.add_argument("--jvm", type=shlex.split, default=QUICK_JVM, help="flags of the JVM, in one argument")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the brokers")
    parser.add_argument("--prepare", action="store_true", help="only make later starts quicker")
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="after --; without, run until told to stop")
    told = parser.parse_args(arguments)
    cluster = Cluster(
        told.nodes,
        port=told.port,
        folder=told.folder,
        keep=told.folder is not None,
        jvm=told.jvm,
        settings=dict(setting.split("=", 1) for setting in told.set),
    )
    try:
        if told.prepare:
            prepare()
            return 0
        with interruptible(), cluster:
            if told.command:
                return run(told.command, cluster.bootstrap)
            print(cluster.bootstrap, flush=True)
            while any(cluster.pid(node) for node in cluster.numbers):
                time.sleep(1)
            print("all brokers have ended", file=sys.stderr)
            return 1
    except NotStarted as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM end the block as SIGINT does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(command: Sequence[str], bootstrap: str) -> int:
    """Run a command beside a broker, pass on what ends it, and return its exit status as a shell would."""
    try:
        process = subprocess.Popen(command, env={**os.environ, "ADJUDEX_KAFKA": bootstrap})
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127

    def pass_on(number: int, *_: object) -> None:
        process.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the command as well
    status = process.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
