from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.governance import RulebookPublished
from schemas.outcomes import NextStep
from services.kernel.decider import Refused
from tests.unit.governance.examples import ScopeSpecification, publish, version


def test_first_version_is_published() -> None:
    ScopeSpecification().root(publish(1)).then(
        RulebookPublished(
            rulebook=version(1),
            sha256=sha256(version(1).to_bytes()).hexdigest(),
            next=NextStep(step="products and covers can name house@1"),
        )
    )


def test_next_version_is_published__one_there() -> None:
    ScopeSpecification().root(publish(1), publish(2)).then_types("rulebook.published.v1")


def test_versions_count_by_name() -> None:
    ScopeSpecification().root(publish(1), publish(2), publish(1, "other")).then_types("rulebook.published.v1")


def test_first_version_is_one() -> None:
    refusal = ScopeSpecification().root(publish(2)).then_refused("rulebook.version-gap")
    assert (refusal.value, refusal.accepted, refusal.unknown) == ("house@2", "house@1", False)


def test_version_leaves_no_gap__one_there() -> None:
    refusal = ScopeSpecification().root(publish(1), publish(3)).then_refused("rulebook.version-gap")
    assert refusal.accepted == "house@2"


def test_same_version_same_content__is_published_already() -> None:
    refusal = ScopeSpecification().root(publish(1), publish(1)).then_refused("rulebook.already-published")
    assert refusal.accepted == "house@2"


def test_same_version_same_content__two_there() -> None:
    refusal = ScopeSpecification().root(publish(1), publish(2), publish(1))
    assert refusal.then_refused("rulebook.already-published").accepted == "house@3"


def test_same_version_other_content__is_immutable() -> None:
    refused = ScopeSpecification().root(publish(1), publish(1, title="Other")).then_refused("rulebook.immutable")
    assert sha256(version(1).to_bytes()).hexdigest() in refused.value
    assert sha256(version(1, title="Other").to_bytes()).hexdigest() in refused.value
    assert refused.accepted == "the changed content as house@2"


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.tuples(st.sampled_from(["house", "other"]), st.integers(1, 4), st.sampled_from("ab"))))
def test_a_published_version_never_changes(actions: list[tuple[str, int, str]]) -> None:
    scope, published = ScopeSpecification(), {}
    for name, number, title in actions:
        scope.root(publish(number, name, title=title))
        if not isinstance(scope.events[0], Refused):
            assert (name, number) not in published
            assert number == 1 or (name, number - 1) in published
            published[name, number] = title
    held = scope.state.rulebooks
    assert {key: held[f"{key[0]}@{key[1]}"].rulebook.title for key in published} == published
    assert len(held) == len(published)
