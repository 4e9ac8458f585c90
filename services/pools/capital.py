"""Capital that comes in and leaves: shares of a tranche, at what they are worth then."""

from schemas.instants import format_instant
from schemas.money import AMOUNT_MINOR_MAX, WHOLE_BPS
from schemas.outcomes import ArithmeticStep, NextStep
from schemas.pools import (
    Account,
    CapitalDeposited,
    CapitalWithdrawalRequested,
    CapitalWithdrawn,
    DepositCapital,
    PoolTerms,
    RequestCapitalWithdrawal,
    Tranche,
    WithdrawCapital,
)
from services.kernel.decider import Received, Refused
from services.pools.books import entry
from services.pools.facts import Facts
from services.pools.pool import Pool, Shares, shares_of, starts_anew, tranche, value
from services.pools.refusals import pool_unknown, transaction_counted
from services.pools.standstill import stands_still

_ACCOUNTS: dict[Tranche, Account] = {"junior": "capital:junior", "senior": "capital:senior"}
_OTHER: dict[Tranche, Tranche] = {"junior": "senior", "senior": "junior"}


def deposit(pool: Pool, content: DepositCapital) -> CapitalDeposited | Refused:
    """Take capital in: shares as the tranche's are worth now, rounded down; the rest is everybody's."""
    if pool.terms is None:
        return pool_unknown("capital", content)
    counted = transaction_counted("capital", pool, content.provider, content.transaction)
    if counted is not None:
        return counted
    all_minor, worth_minor = tranche(pool, content.tranche).shares_minor, value(pool.books, content.tranche)
    if starts_anew(pool, content.tranche):
        all_minor = 0
    shares_minor = content.amount_minor * all_minor // worth_minor if all_minor else content.amount_minor
    refused = _no_shares(content, shares_minor, all_minor, worth_minor)
    if refused is not None:
        return refused
    postings = entry(
        debit=(("cash", content.amount_minor),), credit=((_ACCOUNTS[content.tranche], content.amount_minor),)
    )
    held_minor = 0 if starts_anew(pool, content.tranche) else _held(pool, content).shares_minor
    own_minor = (held_minor + shares_minor) * (worth_minor + content.amount_minor) // (all_minor + shares_minor)
    return CapitalDeposited(
        pool=content.pool,
        provider=content.provider,
        tranche=content.tranche,
        amount_minor=content.amount_minor,
        transaction=content.transaction,
        shares_minor=shares_minor,
        tranche_shares_minor=all_minor + shares_minor,
        share_bps=_share_bps(
            own_minor + _worth(pool, _OTHER[content.tranche], content.provider),
            pool.books.capital + content.amount_minor,
        ),
        postings=postings,
        next=NextStep(step="the capital carries cover; what leaves has to be asked for, and waits for the notice"),
    )


def request(pool: Pool, received: Received, content: RequestCapitalWithdrawal) -> CapitalWithdrawalRequested | Refused:
    """Note that shares are to leave; they bear losses until they have left."""
    if pool.terms is None:
        return pool_unknown("capital", content)
    held = _held(pool, content)
    if held.leaving_minor:
        return Refused(
            rule="capital.already-requested",
            value=f"a request while one for {held.leaving_minor} shares of the {content.tranche} tranche is open",
            accepted=f"a withdrawal of that one from {format_instant(held.available_at)}, then another request",
        )
    if content.shares_minor > held.shares_minor:
        return Refused(
            rule="capital.above-own",
            value=f"{content.shares_minor} shares",
            accepted=f"at most {held.shares_minor}, which {content.provider} holds of the {content.tranche} tranche",
        )
    available_at = received.since + pool.terms.notice
    return CapitalWithdrawalRequested(
        pool=content.pool,
        provider=content.provider,
        tranche=content.tranche,
        shares_minor=content.shares_minor,
        available_at=available_at,
        next=NextStep(step="the shares can be taken out, at what they are worth then", due_at=available_at),
    )


def withdraw(pool: Pool, facts: Facts, received: Received, content: WithdrawCapital) -> CapitalWithdrawn | Refused:
    """Redeem the shares that were asked for, unless what they bear may still come or cover needs them."""
    terms = pool.terms
    if terms is None:
        return pool_unknown("capital", content)
    held = _held(pool, content)
    amount_minor = _redeemed(pool, content.tranche, held.leaving_minor)
    return (
        _not_due(held, received, content)
        or stands_still(pool, facts, received.at, content)
        or _needed(pool, terms, amount_minor)
        or _withdrawn(pool, terms, held, amount_minor, content)
    )


def _no_shares(content: DepositCapital, shares_minor: int, all_minor: int, worth_minor: int) -> Refused | None:
    if not shares_minor:
        return Refused(
            rule="capital.no-share",
            value=f"{content.amount_minor}, less than one of {all_minor} shares, which are worth {worth_minor}",
            accepted=f"at least {-(-worth_minor // all_minor)}",
        )
    if all_minor + shares_minor > AMOUNT_MINOR_MAX:
        return Refused(
            rule="capital.too-many-shares",
            value=f"{content.amount_minor}, which makes {shares_minor} shares beside {all_minor} worth {worth_minor}",
            accepted=f"at most {(AMOUNT_MINOR_MAX - all_minor) * worth_minor // all_minor}",
        )
    return None


def _not_due(held: Shares, received: Received, content: WithdrawCapital) -> Refused | None:
    if not held.leaving_minor:
        return Refused(
            rule="capital.not-requested",
            value=f"a withdrawal from the {content.tranche} tranche without a request",
            accepted="a request to withdraw first",
        )
    if received.at < held.available_at:
        return Refused(
            rule="capital.in-notice",
            value=f"a withdrawal at {format_instant(received.at)}",
            accepted=f"a withdrawal from {format_instant(held.available_at)}, when the notice is over",
            not_before=held.available_at,
        )
    return None


def _needed(pool: Pool, terms: PoolTerms, amount_minor: int) -> Refused | None:
    needed_minor = -(-pool.exposure.total_minor * WHOLE_BPS // terms.capacity_bps)
    loose_minor = max(0, pool.books.capital - needed_minor)
    if amount_minor <= loose_minor:
        return None
    return Refused(
        rule="capital.needed",
        value=f"{amount_minor}, of capital of {pool.books.capital} that carries cover of {pool.exposure.total_minor}",
        accepted=f"at most {loose_minor}, until cover ends or more capital comes",
    )


def _withdrawn(
    pool: Pool, terms: PoolTerms, held: Shares, amount_minor: int, content: WithdrawCapital
) -> CapitalWithdrawn:
    all_minor, worth_minor = tranche(pool, content.tranche).shares_minor, value(pool.books, content.tranche)
    step = ArithmeticStep(
        rule="redeemed: shares × what the tranche is worth ÷ its shares, rounded down; the rest stays in the tranche",
        inputs={
            "shares_minor": str(held.leaving_minor),
            "worth_minor": str(worth_minor),
            "tranche_shares_minor": str(all_minor),
        },
        result_minor=str(amount_minor),
    )
    left_shares_minor, left_minor = all_minor - held.leaving_minor, worth_minor - amount_minor
    own_minor = (held.shares_minor - held.leaving_minor) * left_minor // left_shares_minor if left_shares_minor else 0
    postings = entry(debit=((_ACCOUNTS[content.tranche], amount_minor),), credit=(("payable", amount_minor),))
    return CapitalWithdrawn(
        pool=content.pool,
        provider=content.provider,
        tranche=content.tranche,
        shares_minor=held.leaving_minor,
        tranche_shares_minor=left_shares_minor,
        amount_minor=amount_minor,
        share_bps=_share_bps(
            own_minor + _worth(pool, _OTHER[content.tranche], content.provider), pool.books.capital - amount_minor
        ),
        payout=f"pool:{content.pool}/{pool.withdrawals + 1}" if amount_minor else None,
        asset=pool.asset,
        arithmetic=(step,),
        payout_terms=terms.payout,
        postings=postings,
        next=NextStep(step="the amount is transferred" if amount_minor else "the shares were worth nothing"),
    )


def _held(pool: Pool, content: DepositCapital | RequestCapitalWithdrawal | WithdrawCapital) -> Shares:
    return shares_of(pool, content.tranche, content.provider)


def _redeemed(pool: Pool, name: Tranche, shares_minor: int) -> int:
    all_minor = tranche(pool, name).shares_minor
    return shares_minor * value(pool.books, name) // all_minor if all_minor else 0


def _worth(pool: Pool, name: Tranche, provider: str) -> int:
    return _redeemed(pool, name, shares_of(pool, name, provider).shares_minor)


def _share_bps(own_minor: int, capital_minor: int) -> int:
    """Return a share of all capital, rounded up: one that exceeds a limit is never told as the limit itself."""
    return -(-own_minor * WHOLE_BPS // capital_minor) if capital_minor else 0
