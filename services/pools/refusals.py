"""Why an input is refused, for reasons that more than one kind of input can meet."""

from schemas.pools import PoolInput
from services.kernel.decider import Refused
from services.pools.pool import Pool


def pool_unknown(stream: str, content: PoolInput) -> Refused:
    """Refuse what is about a pool that is not open."""
    return Refused(
        rule=f"{stream}.pool-unknown",
        value=f"pool {content.pool}",
        accepted="a pool that governance has opened",
        unknown=True,
    )


def transaction_counted(stream: str, pool: Pool, account: str, transaction: str) -> Refused | None:
    """Refuse a transfer that was counted: money comes in once."""
    counted = pool.transactions.get(f"{account} {transaction}")
    if counted is None:
        return None
    return Refused(
        rule=f"{stream}.transaction-counted",
        value=f"transaction {transaction} of {account}, counted for {counted}",
        accepted="a transaction that was not counted",
    )
