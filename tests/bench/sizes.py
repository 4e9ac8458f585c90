"""How much is measured."""

from typing import NamedTuple


class Sizes(NamedTuple):
    """Counts of a run: of covers each has one filing; of each 500 `batched_covers`, so many are `single_covers` too.

    `samples` times `sample` inputs are measured in aggregates with few and with many entries. On Kafka, so many inputs
    are loaded for our services and for each rival: a JVM needs some 300,000 before it is fair to compare. `paid_claims`
    go from filing to instruction one after the other; inputs are sent for `steady_s` seconds; the read model has
    `viewed_claims`, and each query is asked `questions` times.
    """

    rounds: int
    batched_covers: int
    single_covers: int
    memory_rounds: int
    memory_covers: int
    votes: int
    entries_few: int
    entries_many: int
    sample: int
    samples: int
    open_claims: int
    kafka_inputs: int
    kafka_votes: int
    streams_inputs: int
    faust_inputs: int
    paid_claims: int
    steady_s: int
    viewed_claims: int
    questions: int


FULL = Sizes(
    rounds=5,
    batched_covers=2_000,
    single_covers=125,
    memory_rounds=3,
    memory_covers=5_000,
    votes=10_000,
    entries_few=1_000,
    entries_many=100_000,
    sample=100,
    samples=10,
    open_claims=20_000,
    kafka_inputs=24_000,
    kafka_votes=20_000,
    streams_inputs=300_000,
    faust_inputs=4_000,
    paid_claims=200,
    steady_s=15,
    viewed_claims=100_000,
    questions=300,
)
QUICK = Sizes(
    rounds=3,
    batched_covers=500,
    single_covers=100,
    memory_rounds=3,
    memory_covers=1_000,
    votes=2_000,
    entries_few=1_000,
    entries_many=10_000,
    sample=50,
    samples=6,
    open_claims=2_000,
    kafka_inputs=4_000,
    kafka_votes=3_000,
    streams_inputs=40_000,
    faust_inputs=1_000,
    paid_claims=20,
    steady_s=4,
    viewed_claims=2_000,
    questions=50,
)
