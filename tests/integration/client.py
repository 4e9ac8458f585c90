"""A client that loses nothing: it sends what was not answered again, and some of what was answered too."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from schemas.outcomes import InputOutcome, PayoutInstruction
from schemas.topics import INSTRUCTIONS, OUTCOMES
from tests.integration import world
from tests.integration.reading import contents
from tests.support.command import Answer

_EARLY = 0.05
_AGAIN = 0.3


class Wish(NamedTuple):
    """An input to be decided, and what must be decided (or instructed) before it makes sense."""

    line: world.Line
    needs: tuple[str, ...] = ()


def wishes(covers: int) -> dict[str, Wish]:
    """Everything that happens on a market: reports, covers, a claim on each, its votes and its payment."""
    held = [Wish(world.report(f"{product}-{n}", product)) for product in world.PRODUCTS for n in range(covers // 4)]
    for number in range(covers):
        product = world.PRODUCTS[number % len(world.PRODUCTS)]
        cover, claim = f"c{number}", f"c{number}/1"
        register, report = f"register-{cover}", f"report-{product}-0"
        held.append(Wish(world.register(cover, product)))
        held.append(Wish(world.file(cover, f"{product}/1"), (register, report)))
        held += (Wish(world.vote(claim, assessor), (f"file-{cover}",)) for assessor in world.ASSESSORS)
        held.append(Wish(world.confirm(claim), (f"payout {claim}/1",)))
    return {wish.line["id"]: wish for wish in held}


class Client:
    """Remembers what it sent, what was acknowledged, and what was decided for good."""

    def __init__(self, wanted: dict[str, Wish], seed: int) -> None:
        self.wanted = wanted
        self.random = random.Random(seed)
        self.sent: Counter[str] = Counter()
        self.positions: dict[str, list[str]] = defaultdict(list)
        self.done: set[str] = set()

    @property
    def acknowledged(self) -> Counter[str]:
        """How often each input was acknowledged."""
        return Counter({identifier: len(held) for identifier, held in self.positions.items()})

    @property
    def satisfied(self) -> bool:
        """Whether everything wanted was decided for good."""
        return self.done >= self.wanted.keys()

    def look(self, data: Path) -> None:
        """Read what became of everything while nobody listened."""
        for content in contents(data, OUTCOMES, INSTRUCTIONS):
            self._note(content)

    def hear(self, answers: Iterable[Answer]) -> None:
        """Take in what `up` says."""
        for answer in answers:
            if "outcome" in answer:
                self._note(InputOutcome.model_validate_json(json.dumps(answer["outcome"])))
            elif "instruction" in answer:
                self._note(PayoutInstruction.model_validate_json(json.dumps(answer["instruction"])))
            elif "accepted" in answer:
                self.positions[answer["accepted"]].append(answer["position"])

    def _note(self, content: object) -> None:
        if isinstance(content, PayoutInstruction):
            self.done.add(f"payout {content.reference}")
        elif isinstance(content, InputOutcome) and is_final(content):
            self.done.add(content.input_id)

    def due(self) -> list[world.Line]:
        """List what makes sense to send now."""
        return [
            wish.line
            for identifier, wish in self.wanted.items()
            if identifier not in self.done and self.done.issuperset(wish.needs)
        ]

    def shuffled(self) -> list[world.Line]:
        """Mix what is due with a little that is too early, and with repeats of what was acknowledged."""
        held = self.due()
        open_ones = [wish.line for identifier, wish in self.wanted.items() if identifier not in self.done]
        held += [line for line in open_ones if self.random.random() < _EARLY]
        held += [self.wanted[identifier].line for identifier in self.positions if self.random.random() < _AGAIN]
        self.random.shuffle(held)
        return held

    def note_sent(self, lines: Iterable[world.Line]) -> None:
        """Remember what is sent."""
        self.sent.update(line["id"] for line in lines)


def is_final(outcome: InputOutcome) -> bool:
    """Tell whether sending the input again could change nothing: not so where something did not exist yet."""
    unknown = outcome.refusal is not None and outcome.refusal.rule.endswith("-unknown")
    return outcome.fate in ("decided", "refused") and not unknown
