"""A treasury's executor: pays what Adjudex instructs, each reference at most once, and posts receipts.

Instructions arrive at least once, and this process may be killed at any point. So its own file says how each attempt
ended (payout_book.py); after a kill in between, the bank is asked; and an instruction is acknowledged to Kafka last,
when its receipts are stored. Their ids are made of reference and attempt: posted again, they have no effect.

The agent is stock Faust. What keeps it from losing instructions is said beside each setting.
"""

import argparse
import asyncio
import importlib
import sqlite3
import sys
from pathlib import Path
from typing import Any

import faust
import orjson
from aiokafka.errors import KafkaError
from faust.types.auth import CredentialsT

from adjudex_client import Json, Sender, check, connection, options
from payout_book import Book, Ledger, NotPayable, append, read

INSTRUCTION = b"payout.instruction.v1"
MARKER = b"topic.started.v1"


def application(told: argparse.Namespace, sender: Sender, kafka: Json, book: Book) -> faust.App:
    """Make the app: one topic in, one topic out, one agent, no tables."""
    group = told.group or f"{told.space}.treasury"
    app = faust.App(
        group,  # also the consumer group
        consumer_group_instance_id=told.instance or group,  # who comes back in time gets its partitions at once
        broker=[f"kafka://{address}" for address in kafka["bootstrap_servers"]],
        broker_credentials=credentials(kafka),
        agent_supervisor="mode.CrashingSupervisor",  # an error ends the process; by default the event is lost
        topic_allow_declare=False,  # topics are not ours to create
        topic_disable_leader=True,  # nor is a topic for electing one
        producer_request_timeout=30.0,  # by default twenty minutes
        web_enabled=False,  # by default a server on every address
        worker_redirect_stdouts=False,
    )
    # Bytes as they are: what Faust cannot decode it drops.
    raw: Json = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}
    instructions = app.topic(f"{sender.space}.payout.instructions", **raw)
    receipts = app.topic(f"{sender.space}.payout.receipts", **raw)

    async def post(wire: str, content: Json) -> None:
        value, key = orjson.dumps(content), f"payout/{content['payout']}"
        input_id = f"{key}/{content['attempt']}/{wire}"
        headers = sender.headers("payout.receipts", wire, input_id, value)
        delivery = await receipts.send(key=key.encode(), value=value, headers=headers)
        await delivery  # `send` only queues it
        print(f"posted {input_id}", flush=True)

    @app.agent(instructions, concurrency=1)  # with more, one acknowledges what another has not done
    async def pay(stream: Any) -> None:  # noqa: ANN401 - no type in Faust says noack() and ack()
        async for event in stream.noack().events():  # by default an event is acknowledged although its agent failed
            if event.headers.get("ce_type") != MARKER:  # with which every partition begins
                try:
                    # In a thread: a slow bank must not keep Faust from talking to Kafka.
                    due = await asyncio.to_thread(book.answer, readable(event))
                except NotPayable as error:
                    due = []
                    keep(told.dead_letters, event.message, str(error))
                for wire, content in due:
                    await post(wire, content)
            await stream.ack(event)

    return app


def readable(event: Any) -> Json:  # noqa: ANN401
    """Return the instruction that an event holds; raises NotPayable."""
    wire = event.headers.get("ce_type")
    if wire != INSTRUCTION:
        raise NotPayable(f"ce_type is {wire!r}")
    return read(event.value)


def keep(dead_letters: Path, message: Any, reason: str) -> None:  # noqa: ANN401
    """Write down what somebody has to look at: on disk before it is acknowledged."""
    place = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
    headers = {name: value.decode(errors="replace") for name, value in message.headers or ()}
    append(dead_letters, {**place, "reason": reason, "headers": headers, "value_hex": (message.value or b"").hex()})
    print(f"dead letter {message.topic}/{message.partition}/{message.offset}: {reason}", file=sys.stderr, flush=True)


def credentials(kafka: Json) -> CredentialsT | None:
    """Say in Faust's words what `connection` says to aiokafka."""
    context = kafka.get("ssl_context")
    if "sasl_mechanism" not in kafka:
        return faust.SSLCredentials(context) if context else None
    name, password = kafka["sasl_plain_username"], kafka["sasl_plain_password"]
    return faust.SASLCredentials(
        username=name, password=password, mechanism=kafka["sasl_mechanism"], ssl_context=context
    )


def main() -> None:
    """Read the command line and pay."""
    parser = options("Pay what Adjudex instructs, each reference at most once, and post receipts.")
    parser.add_argument("--group", help="consumer group, which is Faust's app id (SPACE.treasury)")
    parser.add_argument("--instance", metavar="NAME", help="one for each process, if there are several (the group's)")
    parser.add_argument("--state", type=Path, default=Path("payouts.sqlite"), help="how attempts ended: never lose it")
    parser.add_argument("--ledger", type=Path, default=Path("ledger.jsonl"), help="where the pretend bank writes")
    parser.add_argument("--fail-first", type=int, default=0, metavar="K", help="the pretend bank fails K times each")
    parser.add_argument("--bank", metavar="MODULE:CLASS", help="another one than the pretend bank, of the same shape")
    parser.add_argument("--dead-letters", type=Path, default=Path("dead-letters.jsonl"), metavar="FILE")
    told = parser.parse_args()
    try:
        kafka, sender = connection(told.kafka), Sender(told.space, told.key, told.principal)
        asyncio.run(check(kafka, *(f"{told.space}.payout.{name}" for name in ("instructions", "receipts"))))
        module, _, name = (told.bank or "").partition(":")
        bank = getattr(importlib.import_module(module), name)() if told.bank else Ledger(told.ledger, told.fail_first)
        book = Book(told.state, bank)
    except (KafkaError, OSError, ValueError, ImportError, AttributeError, sqlite3.Error) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    worker = faust.Worker(application(told, sender, kafka, book), loglevel="WARNING")
    worker.spinner = None  # which is for terminals
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
