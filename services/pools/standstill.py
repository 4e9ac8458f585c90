"""What stops: no cover of a product is sold, and no capital leaves, while losses may be on their way."""

from schemas.instants import format_instant
from schemas.pools import WithdrawCapital
from services.kernel.decider import Refused
from services.pools.facts import Alarm, Facts, alarm_of, halt_of, related
from services.pools.pool import Pool


def alarm_near(facts: Facts, product: str, at: int) -> tuple[str, Alarm] | None:
    """Return the alarm that holds longest of those of a product and of what stands on the same, and whose it is."""
    alarms = [(name, alarm) for name in related(facts, product) if (alarm := alarm_of(facts, name, at)) is not None]
    return max(alarms, key=lambda each: (each[1].until, each[0]), default=None)


def stands_still(pool: Pool, facts: Facts, at: int, content: WithdrawCapital) -> Refused | None:
    """Refuse to let capital leave while an incident may cost it.

    One that is reported, one for which a product is halted, one that is not settled with every claim decided.
    """
    alarms = [
        (alarm.until, name, alarm.incident)
        for name in facts.alarms.sorted_keys()
        if (alarm := alarm_of(facts, name, at)) is not None and _concerns(facts, name, content.pool)
    ]
    if alarms:
        until, name, incident = max(alarms)
        return Refused(
            rule="capital.incident-open",
            value=f"a withdrawal while incident {incident} of product {name} is reported",
            accepted=f"a withdrawal once that is decided, at the latest from {format_instant(until)}",
            not_before=until,
        )
    halts = [
        (halt.until, name)
        for name in facts.halts.sorted_keys()
        if (halt := halt_of(facts, name, at)) is not None and _concerns(facts, name, content.pool)
    ]
    if halts:
        until, name = max(halts)
        return Refused(
            rule="capital.incident-open",
            value=f"a withdrawal while product {name} is halted",
            accepted=f"a withdrawal from {format_instant(until)}",
            not_before=until,
        )
    if pool.unclosed:
        others = f" and {len(pool.unclosed) - 1} more" if len(pool.unclosed) > 1 else ""
        return Refused(
            rule="capital.incident-open",
            value=f"a withdrawal while incident {pool.unclosed[0]}{others} is not settled and decided",
            accepted="a withdrawal once every claim of confirmed incidents is settled and decided",
        )
    return None


def _concerns(facts: Facts, product: str, pool: str) -> bool:
    """Tell whether a pool carries a product, or one that stands on the same."""
    return any(facts.products[name].pool == pool for name in related(facts, product))
