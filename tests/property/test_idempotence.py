"""The law of deciders: deciding an input twice yields nothing but a refusal the second time.

Random histories of every service, all of a world together, each decision held against this law and its companions:
a fired deadline is gone, deciding is a function, a snapshot reads back what it spelled (`tests/support/lawful.py`).
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.lawful import LawfulWorld, Step
from tests.support.strategies import BASE
from tests.support.worlds import ADJUDEX, TOY, World

EXAMPLES = 60
CASES = [(world, service.name) for world in (TOY, ADJUDEX) for service in world.services]


@st.composite
def histories(draw: st.DrawFn, world: World, focus: str) -> list[Step]:
    """Draw a history: a part of one that makes sense, disturbed, and then anything, mostly of one service."""
    anything = world.steps(focus)
    script = draw(st.sampled_from(world.scripts))
    script = script[: draw(st.just(len(script)) | st.integers(0, len(script)))]
    disturbances = draw(st.dictionaries(st.integers(0, len(script)), anything, max_size=3))
    history: list[Step] = []
    for number, step in enumerate(script):
        history += [disturbances[number], step] if number in disturbances else [step]
    return history + draw(st.lists(anything, max_size=15))


@pytest.mark.parametrize(("world", "focus"), CASES, ids=[name for _, name in CASES])
def test_deciding_twice_yields_nothing_but_a_refusal(world: World, focus: str) -> None:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(histories(world, focus))
    def law(history: list[Step]) -> None:
        lawful = LawfulWorld(world.services, BASE)
        for step in history:
            lawful.take(step)
        seen.update(lawful.seen)

    for script in world.scripts:
        law = example(list(script))(law)
    law()
    missing = sorted(world.events[focus] - seen.keys())
    assert not missing, f"the histories are too poor: none has {missing}"
