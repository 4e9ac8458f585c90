"""The story, as data: what people and machines post, and when.

Nobody in it knows more than an outsider can: incidents and cases are named as the outcomes of earlier inputs name
them, and a claim that came too early comes back at the date its refusal gave.
"""

from collections.abc import Iterable

from schemas.adjudication import VOTES, CastVote, Choice
from schemas.claims import FILINGS, ClaimFiled, Evidence, FileClaim
from schemas.envelope import Input
from schemas.incidents import REPORTS, IncidentOpened, ReportIncident
from services.cli.demo.cast import (
    COVERS_MINOR,
    GATEWAY,
    PRODUCT,
    STAKES_MINOR,
    STRANGER,
    account,
    digest,
    usdc,
)
from services.cli.demo.seen import Seen
from services.cli.demo.setting import setting
from services.cli.demo.step import (
    Post,
    Step,
    Unreadable,
    When,
    after,
    after_vote,
    counted_from,
    known,
    later,
    latest,
    not_before,
    once,
)

_ALICE = "alice-files-again"
_COVERED = counted_from("register-cover-erin", 1, "12:00")
_REPORTED = counted_from("report-night-owl-1", 2, "10:31")
_TAKEN = counted_from(_ALICE, 5, "10:02")
_LATE_VOTE = counted_from(f"rosa-on-{_ALICE}", 8, "10:32")
_REPORTED_AGAIN = counted_from("report-night-owl-2", 10, "04:44")
"""The calendar, as it is counted from what has to come before: once the covers are registered, and so on."""
_FIRST, _SECOND = _COVERED(2, "10:02"), _LATE_VOTE(10, "04:40")
"""When the two exploits happen."""
_FLAW, _FORK, _NO_LOSS = "4.1 loss by a flaw in the code", "5.2 unaudited fork", "7.3 no loss, no claim"
"""Clauses of the wording."""


def _report(
    when: When, bot: str, number: int, occurred: When, summary: str, aside: str = "", *, reference: str = ""
) -> Step:
    def content(seen: Seen) -> Input:
        occurred_at = occurred(seen)
        assert occurred_at is not None
        return ReportIncident(
            product=PRODUCT,
            reference=reference or f"{bot}-{number}",
            occurred_at=occurred_at,
            summary=summary,
        )

    return Step(when, bot, (Post(f"report-{bot}-{number}", REPORTS.name, bot, content),), aside)


def _exploit() -> Iterable[Step]:
    calls = "withdraw() was entered 1,204 times in one transaction; 3.1 million USDC left the vault"
    value = "value locked in harbor-vault fell by 92 percent within one block"
    yield _report(
        _COVERED(2, "10:05"),
        "chain-watch",
        1,
        _FIRST,
        calls,
        "At 10:02 the vault is emptied. The rulebook wants three bots to say so, and each has its own words.",
    )
    yield _report(_COVERED(2, "10:11"), "pool-sentry", 1, later(_FIRST, "12s"), value)
    yield _report(
        _COVERED(2, "10:12"),
        "pool-sentry",
        2,
        later(_FIRST, "12s"),
        value,
        "The same bot again, under a new id but with its own old reference: it cannot count twice.",
        reference="pool-sentry-1",
    )
    yield _report(
        _COVERED(2, "10:20"),
        STRANGER,
        1,
        _FIRST,
        "huge hack!! vault gone",
        "A bot that nobody registered.",
    )
    paused = "the owner's multisig paused the vault; the sender's funds are on their way into a mixer"
    yield _report(_COVERED(2, "10:31"), "night-owl", 1, later(_FIRST, "240s"), paused)


def _filing(input_id: str, claimant: str, cover: str, amount_minor: int, report: str) -> Post:
    document = Evidence(
        sha256=digest("evidence", claimant, report).hex(),
        media_type="application/pdf",
        size_bytes=184_320,
        description="balance of the position in the blocks before and after the exploit",
    )

    def content(seen: Seen) -> Input:
        opened = seen.decided(report)
        assert isinstance(opened, IncidentOpened)
        return FileClaim(
            cover=cover,
            claimant=account(claimant),
            incident=opened.incident,
            amount_minor=amount_minor,
            evidence=(document,),
        )

    return Post(input_id, FILINGS.name, GATEWAY, content)


_ALICE = "alice-files-again"


def _confirmed(report: str, when: When) -> When:
    return once(lambda seen: seen.is_confirmed(report), when)


def _claims() -> Iterable[Step]:
    first = "report-chain-watch-1"
    alice = usdc(42_000)
    yield Step(
        _confirmed(first, _REPORTED(2, "11:00")),
        "alice",
        (_filing("alice-files", "alice", "cover-alice", alice, first),),
        "The first of five claims comes within the hour. The refusal says from when it would be accepted.",
    )
    yield Step(
        _confirmed(first, _REPORTED(2, "16:40")),
        "mallory",
        (_filing("mallory-files", "mallory", "cover-alice", alice, first),),
        "The second is on somebody else's cover.",
    )
    garbled = Unreadable("cover/cover-erin", FileClaim.wire, b"Dear Sirs, I herewith claim 25,000 USDC. Erin")
    yield Step(
        _REPORTED(3, "09:15"),
        "erin",
        (Post("erin-writes", FILINGS.name, None, known(garbled)),),
        "A letter instead of a record: it is set aside, and nothing stops.",
    )
    yield Step(
        not_before("alice-files"),
        "alice",
        (_filing(_ALICE, "alice", "cover-alice", alice, first),),
        "The minute has come that the refusal named: the same claim again.",
    )
    carol = _filing("carol-files", "carol", "cover-carol", COVERS_MINOR["carol"], first)
    yield Step(_TAKEN(5, "11:00"), "carol", (carol,), "The third claim.")
    yield Step(_TAKEN(5, "11:01"), "carol", (carol,), "Her app hears no answer and sends the same bytes again.")
    changed = _filing("carol-files", "carol", "cover-carol", usdc(29_000), first)
    yield Step(_TAKEN(5, "11:05"), "carol", (changed,), "Then it sends something else under the id that is used up.")
    yield Step(
        _TAKEN(5, "12:00"),
        "erin",
        (_filing("erin-files", "erin", "cover-erin", usdc(25_000), first),),
        "The fourth claim, in the proper form.",
    )


def _vote(filing: str, assessor: str, choice: Choice, clause: str, rationale: str = "") -> Post:
    def content(seen: Seen) -> Input:
        filed = seen.decided(filing)
        assert isinstance(filed, ClaimFiled)
        return CastVote(
            case=f"claim/{filed.claim}", assessor=account(assessor), choice=choice, clause=clause, rationale=rationale
        )

    return Post(f"{assessor}-on-{filing}", VOTES.name, GATEWAY, content)


def _votes() -> Iterable[Step]:
    all_of_them = [_vote("carol-files", name, "deny", _NO_LOSS) for name in STAKES_MINOR if name != "vera"]
    all_of_them.append(_vote("carol-files", "vera", "accept", _FLAW))
    yield Step(
        after("carol-files", "7h"),
        "assessors",
        tuple(all_of_them),
        "Carol had left the vault a week before. All seven vote, so the vote ends early: 12 hours after it opened.",
    )
    contested = (
        "Alice's claim is contested. Otto holds more stake than all others together; the cap makes him one of many."
    )
    yield _on_alice("9h", "otto", "deny", _FORK, "the vault was forked from audited code, then changed", contested)
    yield _on_alice("10h", "nina", "accept", _FLAW, "the changed line is not the one that failed")
    yield _on_alice("26h", "tom", "deny", _FORK, "as otto says")
    yield _on_alice("30h", "pavel", "accept", _FLAW, "re-entrancy is what this cover is for")
    yield _on_alice("50h", "vera", "accept", _FLAW)
    own = "Alice has stake, too. On her own claim it does not count."
    yield _on_alice("51h", "alice", "accept", _FLAW, aside=own)
    late = (_vote(_ALICE, "rosa", "deny", _NO_LOSS),)
    yield Step(after_vote(_ALICE, "30m"), "rosa", late, "Rosa comes half an hour after the end.")
    yield _agreed("erin-files", "20h", (("nina", "accept"), ("pavel", "accept"), ("rosa", "accept"), ("tom", "deny")))


def _on_alice(span: str, assessor: str, choice: Choice, clause: str, rationale: str = "", aside: str = "") -> Step:
    return Step(after(_ALICE, span), assessor, (_vote(_ALICE, assessor, choice, clause, rationale),), aside)


def _agreed(filing: str, span: str, choices: Iterable[tuple[str, Choice]]) -> Step:
    posts = (_vote(filing, name, choice, _FLAW if choice == "accept" else _NO_LOSS) for name, choice in choices)
    return Step(after(filing, span), "assessors", tuple(posts))


def _second_exploit() -> Iterable[Step]:
    yield _report(
        latest(_LATE_VOTE(10, "04:44"), after("confirmed-cover-alice-1-1-3", "1h")),
        "night-owl",
        2,
        _SECOND,
        "the vault was unpaused and drained again, by the same contract",
        "A week later it happens again: another incident, as it is more than twelve hours from the first.",
    )
    yield _report(_REPORTED_AGAIN(10, "04:46"), "chain-watch", 2, _SECOND, "second re-entrancy, 640,000 USDC")
    yield _report(_REPORTED_AGAIN(10, "04:58"), "pool-sentry", 3, later(_SECOND, "12s"), "value locked fell to zero")
    second = "report-night-owl-2"
    yield Step(
        _confirmed(second, once(lambda seen: seen.is_paid("erin-files"), _REPORTED_AGAIN(13, "09:00"))),
        "erin",
        (_filing("erin-files-too-much", "erin", "cover-erin", usdc(25_000), second),),
        "The fifth claim: Erin asks for more than the first payment has left of her cover.",
    )
    yield Step(
        after("erin-files-too-much", "10m"),
        "erin",
        (_filing("erin-files-the-rest", "erin", "cover-erin", usdc(15_000), second),),
        "She asks for what the refusal said would be accepted.",
    )
    yield _agreed("erin-files-the-rest", "5h", (("otto", "accept"), ("nina", "accept"), ("pavel", "accept")))


def story() -> list[Step]:
    """Return all steps, in no particular order: each knows when it is due."""
    return [*setting(), *_exploit(), *_claims(), *_votes(), *_second_exploit()]
