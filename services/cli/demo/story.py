"""The story, as data: what people and machines post, and when.

Nobody in it knows more than an outsider can: incidents, covers and cases are named as the outcomes of earlier inputs
name them, and a claim that came too early comes back at the date its refusal gave.
"""

from collections.abc import Iterable

from schemas.adjudication import VOTES, CastVote, Choice
from schemas.assessors import ACTIONS as ASSESSOR_ACTIONS
from schemas.assessors import AssessorInput, RequestStakeWithdrawal, WithdrawStake
from schemas.claims import FILINGS, ClaimFiled, Evidence, FileClaim
from schemas.envelope import Input
from schemas.governance import ACTIONS, HaltProduct
from schemas.incidents import REPORTS, IncidentAlarmed, IncidentOpened, ReportIncident
from schemas.pools import CoverSold
from services.cli.demo.cast import (
    COVERS_MINOR,
    GATEWAY,
    GUARDIANS,
    PRODUCT,
    STAKES_MINOR,
    STRANGER,
    account,
    digest,
    usdc,
)
from services.cli.demo.seen import Seen
from services.cli.demo.setting import buys, deposit, setting
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
_COVERED = counted_from("erin-buys", 1, "12:15")
_REPORTED = counted_from("report-night-owl-1", 6, "10:31")
_TAKEN = counted_from(_ALICE, 9, "10:02")
"""The calendar, as it is counted from what has to come before: once cover is sold, and so on."""
_HAPPENS = _COVERED(6, "10:02")
"""When the exploit happens: after the three days in which new cover does not count yet."""
_FIRST = "report-chain-watch-1"
"""The report that opens the incident."""
_HOUR = 3_600_000
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
        _COVERED(6, "10:05"),
        "chain-watch",
        1,
        _HAPPENS,
        calls,
        "At 10:02 the vault is emptied. The rulebook wants three bots to say so, and each has its own words.",
    )
    yield Step(
        once(lambda seen: seen.noted("pools", IncidentAlarmed.wire) > 0, _COVERED(6, "10:08")),
        "dora",
        (buys("dora-is-quick", "dora", usdc(20_000)),),
        "Dora has read it too, and wants cover before it is confirmed. The first credible report has stopped the sale.",
    )
    yield _report(_COVERED(6, "10:11"), "pool-sentry", 1, later(_HAPPENS, "12s"), value)
    yield _report(
        _COVERED(6, "10:12"),
        "pool-sentry",
        2,
        later(_HAPPENS, "12s"),
        value,
        "The same bot again, under a new id but with its own old reference: it cannot count twice.",
        reference="pool-sentry-1",
    )
    yield _report(_COVERED(6, "10:20"), STRANGER, 1, _HAPPENS, "huge hack!! vault gone", "A bot nobody registered.")
    paused = "the owner's multisig paused the vault; the sender's funds are on their way into a mixer"
    third = latest(_COVERED(6, "10:31"), after("dora-is-quick", "23m"))
    yield _report(third, "night-owl", 1, later(_HAPPENS, "240s"), paused)


def _filing(input_id: str, claimant: str, bought: str, amount_minor: int) -> Post:
    document = Evidence(
        sha256=digest("evidence", claimant).hex(),
        media_type="application/pdf",
        size_bytes=184_320,
        description="balance of the position in the blocks before and after the exploit",
    )

    def content(seen: Seen) -> Input:
        opened, sold = seen.decided(_FIRST), seen.decided(bought)
        assert isinstance(opened, IncidentOpened)
        assert isinstance(sold, CoverSold)
        return FileClaim(
            cover=sold.cover,
            claimant=account(claimant),
            incident=opened.incident,
            amount_minor=amount_minor,
            evidence=(document,),
        )

    return Post(input_id, FILINGS.name, GATEWAY, content)


def _confirmed(when: When) -> When:
    return once(lambda seen: seen.is_confirmed(_FIRST), when)


def _claims() -> Iterable[Step]:
    alice = usdc(42_000)
    yield Step(
        _confirmed(_REPORTED(6, "11:00")),
        "alice",
        (_filing("alice-files", "alice", "alice-buys", alice),),
        "The first claim comes within the hour. The refusal says from when it would be accepted.",
    )
    yield Step(
        _confirmed(_REPORTED(6, "16:40")),
        "mallory",
        (_filing("mallory-files", "mallory", "alice-buys", alice),),
        "The second is on somebody else's cover.",
    )
    garbled = Unreadable("cover/harbor-pool.3", FileClaim.wire, b"Dear Sirs, I herewith claim 25,000 USDC. Erin")
    yield Step(
        _REPORTED(7, "09:15"),
        "erin",
        (Post("erin-writes", FILINGS.name, None, known(garbled)),),
        "A letter instead of a record: it is set aside, and nothing stops.",
    )
    yield Step(
        not_before("alice-files"),
        "alice",
        (_filing(_ALICE, "alice", "alice-buys", alice),),
        "The minute has come that the refusal named: the same claim again.",
    )
    carol = _filing("carol-files", "carol", "carol-buys", COVERS_MINOR["carol"])
    yield Step(_TAKEN(9, "11:00"), "carol", (carol,), "The third claim.")
    yield Step(_TAKEN(9, "11:01"), "carol", (carol,), "Her app hears no answer and sends the same bytes again.")
    changed = _filing("carol-files", "carol", "carol-buys", usdc(29_000))
    yield Step(_TAKEN(9, "11:05"), "carol", (changed,), "Then it sends something else under the id that is used up.")
    yield Step(
        _TAKEN(9, "11:50"),
        "erin",
        (_filing("erin-files-too-much", "erin", "erin-buys", usdc(45_000)),),
        "The fourth claim, in the proper form, but for more than the cover.",
    )
    yield Step(
        _TAKEN(9, "12:00"),
        "erin",
        (_filing("erin-files", "erin", "erin-buys", usdc(25_000)),),
        "She asks for what she has lost.",
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
    party = ("vera", "alice")
    all_of_them = [_vote("carol-files", name, "deny", _NO_LOSS) for name in STAKES_MINOR if name not in party]
    all_of_them.append(_vote("carol-files", "vera", "accept", _FLAW))
    yield Step(
        after("carol-files", "7h"),
        "assessors",
        tuple(all_of_them),
        "Carol had left the vault a week before. All who may vote do, so it ends early, 12 hours after it opened.",
    )
    contested = (
        "Alice's claim is contested. Otto holds more stake than all others together; the cap makes him one of many."
    )
    yield _on_alice("9h", "otto", "deny", _FORK, "the vault was forked from audited code, then changed", contested)
    yield _on_alice("10h", "nina", "accept", _FLAW, "the changed line is not the one that failed")
    yield _on_alice("26h", "tom", "deny", _FORK)
    yield _on_alice("30h", "pavel", "accept", _FLAW, "re-entrancy is what this cover is for")
    yield _on_alice("62h", "vera", "accept", _FLAW)
    own = "Alice has stake, too. She is the claimant, so it does not count."
    yield _on_alice("63h", "alice", "accept", _FLAW, aside=own)
    late = (_vote(_ALICE, "rosa", "deny", _NO_LOSS),)
    yield Step(after_vote(_ALICE, "30m"), "rosa", late, "Rosa comes half an hour after the end.")
    yield _agreed("erin-files", "20h", (("nina", "accept"), ("pavel", "accept"), ("rosa", "accept"), ("tom", "deny")))


def _on_alice(span: str, assessor: str, choice: Choice, clause: str, rationale: str = "", aside: str = "") -> Step:
    return Step(after(_ALICE, span), assessor, (_vote(_ALICE, assessor, choice, clause, rationale),), aside)


def _agreed(filing: str, span: str, choices: Iterable[tuple[str, Choice]]) -> Step:
    posts = (_vote(filing, name, choice, _FLAW if choice == "accept" else _NO_LOSS) for name, choice in choices)
    return Step(after(filing, span), "assessors", tuple(posts))


def _leaves(input_id: str, when: When, content: AssessorInput, aside: str) -> Step:
    return Step(when, "nina", (Post(input_id, ASSESSOR_ACTIONS.name, GATEWAY, known(content)),), aside)


def _stake_leaves() -> Iterable[Step]:
    nina = account("nina")
    yield _leaves(
        "nina-wants-to-leave",
        after(_ALICE, "11h"),
        RequestStakeWithdrawal(assessor=nina, amount_minor=usdc(100_000)),
        "Nina has voted, and wants most of her stake back. There is a notice of a day.",
    )
    yield _leaves(
        "nina-leaves",
        after(_ALICE, "40h"),
        WithdrawStake(assessor=nina),
        "The day is over, but cases in which she voted are not: they hold the stake until they are.",
    )


def _halt() -> Iterable[Step]:
    ada, ben = GUARDIANS
    yield _halts(
        ada,
        after(_ALICE, "44h"),
        "Two of the vault's signers say that they were threatened. A guardian asks for a halt; it takes two of them.",
    )
    yield _halts(ben, after(f"{ada}-halts", "20m"), "The second agrees: every window stands still for 12 hours.")


def _halts(guardian: str, when: When, aside: str) -> Step:
    def content(seen: Seen) -> Input:
        reason = "reports of pressure on signers"
        return HaltProduct(product=PRODUCT, length=seen.calendar.whole(12 * _HOUR), reason=reason)

    return Step(when, guardian, (Post(f"{guardian}-halts", ACTIONS.name, guardian, content),), aside)


def _new_capital() -> Iterable[Step]:
    yield Step(
        later(_first_paid, "30h"),
        "greta",
        (deposit("greta", "senior", usdc(40_000)),),
        "The old capital is gone, and what it could not bear is owed. New capital does not pay for old losses.",
    )
    yield Step(
        after("greta-deposits", "4h"),
        "dora",
        (buys("dora-buys", "dora", usdc(50_000)),),
        "Premium does: what Dora pays goes to Alice and Erin, in proportion to what each is still owed.",
    )


def _first_paid(seen: Seen) -> int | None:
    """Return when both who are owed something had a first payment."""
    instants = [seen.paid_at(filing) for filing in (_ALICE, "erin-files")]
    return max(paid) if len(paid := [at for at in instants if at is not None]) == len(instants) else None


def story() -> list[Step]:
    """Return all steps, in no particular order: each knows when it is due."""
    return [*setting(), *_exploit(), *_claims(), *_votes(), *_stake_leaves(), *_halt(), *_new_capital()]
