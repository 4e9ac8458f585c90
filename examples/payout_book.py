"""What a treasury knows of its payments, and a pretend bank, for payout_consumer.py; nothing here is about Kafka."""

import hashlib
import os
import sqlite3
from pathlib import Path
from typing import NamedTuple, Protocol

import orjson

from adjudex_client import Json

Receipt = tuple[str, Json]
"""A receipt's type and content."""


class NotPayable(Exception):
    """An instruction that cannot be read or must not be acted on: somebody has to look."""


class TransferFailed(Exception):
    """The transfer was not made and never will be. Whatever is less certain must be another exception."""


class Bank(Protocol):
    """What to write for real use."""

    def find(self, reference: str) -> str | None:
        """Return the transaction of this reference's transfer; None when there certainly is none, nor on its way."""

    def pay(self, instruction: Json) -> str:
        """Make the transfer, marked with its reference for `find`; return its transaction or raise TransferFailed."""


class Ledger:
    """A pretend bank: transfers are lines of a file. The first `fail_first` attempts of each reference fail."""

    def __init__(self, file: Path = Path("ledger.jsonl"), fail_first: int = 0) -> None:
        self.file, self.fail_first = file, fail_first

    def find(self, reference: str) -> str | None:
        """Look through the file."""
        lines = self.file.read_bytes().splitlines() if self.file.exists() else []
        return {line["reference"]: str(line["transaction"]) for line in map(orjson.loads, lines)}.get(reference)

    def pay(self, instruction: Json) -> str:
        """Append a line."""
        if instruction["attempt"] <= self.fail_first:
            raise TransferFailed(f"pretending that attempt {instruction['attempt']} fails")
        transfer = {name: instruction[name] for name in ("reference", "attempt", "asset", "recipient", "amount_minor")}
        transaction = "0x" + hashlib.sha256(orjson.dumps(transfer)).hexdigest()
        append(self.file, {**transfer, "transaction": transaction})
        return transaction


class Attempt(NamedTuple):
    """An attempt that ended: paid (detail: its transaction) or failed (detail: why)."""

    number: int
    status: str
    detail: str


class Book:
    """Decides what to do about an instruction, and remembers how each attempt ended."""

    def __init__(self, file: Path, bank: Bank) -> None:
        self.bank = bank
        self.rows = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        # Locked from here on, as long as this process lives: two at once would both find nothing paid, and pay.
        self.rows.executescript(
            """PRAGMA locking_mode = EXCLUSIVE;
               BEGIN EXCLUSIVE;
               CREATE TABLE IF NOT EXISTS attempts (
                 reference TEXT, attempt INTEGER, status TEXT, detail TEXT, PRIMARY KEY (reference, attempt));
               CREATE UNIQUE INDEX IF NOT EXISTS paid_once ON attempts (reference) WHERE status = 'paid';
               COMMIT;"""
        )

    def answer(self, instruction: Json) -> list[Receipt]:
        """Pay if that is due; return the receipts to post, the same ones each time. Raises NotPayable."""
        reference, number = instruction["reference"], instruction["attempt"]
        last = self._last(reference)
        if last.status == "failed":
            # Killed between paying and noting it? The bank knows, and nobody else.
            found = self.bank.find(reference)
            if found is not None:
                last = self._note(reference, Attempt(number, "paid", found))
            elif number == last.number + 1:
                last = self._note(reference, self._pay(instruction))
            elif number > last.number:
                raise NotPayable(f"attempt {number}, but attempt {number - 1} is not known to have failed")
        return receipts(instruction, last) if number >= last.number else []

    def _pay(self, instruction: Json) -> Attempt:
        try:
            return Attempt(instruction["attempt"], "paid", self.bank.pay(instruction))
        except TransferFailed as error:
            return Attempt(instruction["attempt"], "failed", str(error))

    def _last(self, reference: str) -> Attempt:
        """Return the last attempt; before the first one, a failed one of number 0."""
        asked = "SELECT attempt, status, detail FROM attempts WHERE reference = ? ORDER BY attempt DESC LIMIT 1"
        found = self.rows.execute(asked, (reference,)).fetchone()
        return Attempt(*found) if found else Attempt(0, "failed", "")

    def _note(self, reference: str, attempt: Attempt) -> Attempt:
        self.rows.execute("INSERT INTO attempts VALUES (?, ?, ?, ?)", (reference, *attempt))
        return attempt


def receipts(instruction: Json, made: Attempt) -> list[Receipt]:
    """Say how an attempt ended; a payment is confirmed as the attempt that made it, whichever one is asked about."""
    attempt = {"payout": instruction["reference"], "attempt": made.number}
    if made.status == "failed":
        return [("receipt.failed.v1", {**attempt, "reason": made.detail})]
    paid = {**attempt, "transaction": made.detail}
    transfer = {name: instruction[name] for name in ("asset", "recipient", "amount_minor")}
    return [("receipt.submitted.v1", paid), ("receipt.confirmed.v1", {**paid, **transfer})]


def read(value: bytes | None) -> Json:
    """Read an instruction. Fields that are not known here do no harm; a missing one does. Raises NotPayable."""
    try:
        content = orjson.loads(value or b"")
    except ValueError as error:
        raise NotPayable(f"no JSON: {error}") from None
    texts = ("reference", "asset", "recipient", "amount_minor")
    if not isinstance(content, dict) or not all(isinstance(content.get(name), str) for name in texts):
        raise NotPayable(f"no object with {', '.join(texts)} as strings")
    if type(content.get("attempt")) is not int or content["attempt"] < 1:
        raise NotPayable(f"attempt is {content.get('attempt')!r}; 1 or more is accepted")
    return content


def append(file: Path, line: Json) -> None:
    """Append a line to a file, and wait until it is on disk."""
    with file.open("ab", buffering=0) as opened:
        opened.write(orjson.dumps(line) + b"\n")
        os.fsync(opened.fileno())
