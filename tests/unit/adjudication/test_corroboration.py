from schemas.adjudication import CorroborationClosed, CorroborationOpened, ReportCounted
from schemas.instants import DAY
from services.kernel.decider import Deadline
from tests.unit.adjudication.examples import T0, corroboration, incident, report


def test_corroboration_opens() -> None:
    case = incident()
    assert case.events[1] == CorroborationOpened(stage=0, required_weight=3, closes_at=T0 + DAY)
    assert case.deadlines() == [Deadline("stage.0.closes", T0 + DAY)]


def test_three_producers_agree() -> None:
    case = incident().when(report("a"), at=T0 + 1)
    case.then(ReportCounted(producer="a", reference="r-1", weight=1, weight_sum=1))
    case.when(report("b"), at=T0 + 2).then_types("report.counted.v1")
    case.when(report("c"), at=T0 + 3).then_types("report.counted.v1", "corroboration.closed.v1", "case.ruled.v1")
    assert case.events[1] == CorroborationClosed(stage=0, weight_sum=3, required_weight=3, outcome="accept")
    assert case.deadlines() == []


def test_trusted_producer_is_enough() -> None:
    incident().when(report("oracle"), at=T0).then_types("report.counted.v1", "corroboration.closed.v1", "case.ruled.v1")


def test_producer_counts_once() -> None:
    case = incident().when(report("a"), at=T0 + 1)
    case.when(report("a", reference="r-2"), at=T0 + 2).then_nothing()


def test_producer_without_weight_is_counted_with_none() -> None:
    case = incident().when(report("rumour"), at=T0 + 1)
    case.then(ReportCounted(producer="rumour", reference="r-1", weight=0, weight_sum=0))
    case.when(report("rumour"), at=T0 + 2).then_nothing()


def test_default_weight_of_the_rulebook() -> None:
    case = incident(procedure=(corroboration(default_weight=2),)).when(report("a"), at=T0)
    case.when(report("b"), at=T0).then_types("report.counted.v1", "corroboration.closed.v1", "case.ruled.v1")
    assert case.events[0] == ReportCounted(producer="b", reference="r-1", weight=2, weight_sum=4)


def test_unmet__window_over() -> None:
    case = incident().when(report("a"), at=T0 + 1).when(report("b"), at=T0 + 2).fire()
    case.then_types("corroboration.closed.v1", "case.ruled.v1")
    assert case.events[0] == CorroborationClosed(stage=0, weight_sum=2, required_weight=3, outcome="deny")


def test_unmet_is_what_the_rulebook_says() -> None:
    case = incident(procedure=(corroboration(unmet="draw"),)).fire()
    assert case.state.outcome == "draw"


def test_report__last_millisecond_of_the_window() -> None:
    incident().when(report("oracle"), at=T0 + DAY - 1).then_types(
        "report.counted.v1", "corroboration.closed.v1", "case.ruled.v1"
    )


def test_report__while_the_closing_is_overdue() -> None:
    """A window is open until its closing is in the log: an outage eats nobody's window."""
    incident().when(report("oracle"), at=T0 + 2 * DAY).then_types(
        "report.counted.v1", "corroboration.closed.v1", "case.ruled.v1"
    )


def test_report__after_the_close() -> None:
    incident().fire().when(report("oracle"), at=T0 + DAY).then_nothing()
    incident().when(report("oracle"), at=T0).when(report("b"), at=T0 + 1).then_nothing()


def test_late_closing_counts_what_came_in_time() -> None:
    case = incident().when(report("a"), at=T0 + DAY - 1).fire(late=DAY)
    assert case.events[0] == CorroborationClosed(
        stage=0,
        weight_sum=1,
        required_weight=3,
        outcome="deny",
    )
