"""`python -m tests.simulation`: run seeds, or one seed again with a trace of everything that happened."""

import argparse
import sys
import time
from collections import Counter

from tests.simulation.coverage import missing
from tests.simulation.runs import RunFailed, run, run_many
from tests.simulation.simulation import Summary


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="run one seed")
    parser.add_argument("--trace", action="store_true", help="with --seed: tell everything that happens")
    parser.add_argument("--seeds", type=int, default=160, help="how many seeds to run (default 160)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default 0)")
    parser.add_argument("--workers", type=int, default=2, help="in how many processes (default 2)")
    parser.add_argument("--counts", action="store_true", help="list how often what happened")
    arguments = parser.parse_args()
    if arguments.seed is not None:
        return _one(arguments.seed, trace=arguments.trace, counts=arguments.counts)
    return _many(range(arguments.first, arguments.first + arguments.seeds), arguments.workers, counts=arguments.counts)


def _one(seed: int, *, trace: bool, counts: bool) -> int:
    try:
        summary = run(seed, print if trace else None)
    except RunFailed as failed:
        print(failed)
        return 1
    print(f"seed {seed}: every law holds after {summary.turns} turns; log hash {summary.log_hash}")
    if counts:
        _print_counts(summary.counts)
    return 0


def _many(seeds: range, workers: int, *, counts: bool) -> int:
    began, total, failures = time.monotonic(), Counter[str](), 0
    for number, (_, outcome) in enumerate(run_many(seeds, workers), 1):
        if isinstance(outcome, Summary):
            total.update(outcome.counts)
        else:
            failures += 1
            print(f"{outcome}\n")
        if sys.stderr.isatty():
            print(f"\r{number} of {len(seeds)} seeds, {failures} failed", end="", file=sys.stderr)
    if counts:
        _print_counts(total)
    print(f"{len(seeds)} seeds in {time.monotonic() - began:.0f} s: {failures} failed")
    if len(seeds) >= 160 and (lacking := missing(total)):
        print("never happened: " + ", ".join(lacking))
        return 1
    return 1 if failures else 0


def _print_counts(counts: Counter[str]) -> None:
    width = max(map(len, counts))
    for name, count in sorted(counts.items()):
        print(f"{name:{width}}  {count:>9}")


if __name__ == "__main__":
    sys.exit(main())
