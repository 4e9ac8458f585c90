"""How much cover fits: into the capital, and into what one product, dependency or peril may use of it.

So one event cannot exceed what the pool can bear unknowingly (product.md section 6).
"""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.money import share_down
from schemas.pools import PoolTerms
from services.pools.facts import Facts, Product
from services.pools.pool import Pool, capacity


class Limit(NamedTuple):
    """What counts against a limit, and the limit."""

    rule: str
    what: str
    used_minor: int
    limit_minor: int

    @property
    def fits_minor(self) -> int:
        """What still fits."""
        return max(0, self.limit_minor - self.used_minor)


def limits(pool: Pool, terms: PoolTerms, facts: Facts, name: str, product: Product) -> list[Limit]:
    """List every limit that cover of a product meets, in the order in which they are asked."""
    capacity_minor = capacity(pool, terms)
    of_one = share_down(capacity_minor, terms.product_bps)
    of_many = share_down(capacity_minor, terms.dependency_bps)
    dependencies = [
        Limit(
            "cover.above-dependency-limit",
            f"cover of what depends on {dependency}",
            _exposure(pool, facts.dependents.get(dependency, ())),
            of_many,
        )
        for dependency in sorted(set(product.dependencies))
    ]
    peril = facts.perils.get(f"{product.pool}/{product.peril}", ())
    return [
        Limit("cover.above-capacity", "cover of the pool", pool.exposure.total_minor, capacity_minor),
        Limit("cover.above-product-limit", f"cover of product {name}", pool.exposure.products.get(name, 0), of_one),
        *dependencies,
        Limit("cover.above-peril-limit", f"cover of peril {product.peril}", _exposure(pool, peril), of_many),
    ]


def _exposure(pool: Pool, products: Iterable[str]) -> int:
    return sum(pool.exposure.products.get(product, 0) for product in products)
