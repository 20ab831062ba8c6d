"""The comparison with other integrations, as figures and as a table."""

from rich.console import Console

from tests.bench.peer_figures import Figure, figures
from tests.bench.peer_findings import PeerFindings, Unfinished, of_many, of_run
from tests.bench.peer_tables import peer_tables
from tests.bench.running import Measured
from tests.bench.side_by_side import SideBySide
from tests.bench.sides import OWN, Peer, Side
from tests.bench.weighing import Weight

STEPS, SIZE = 200, 4096


def run(side: Side | Peer, wall_s: float, history_bytes: int, *, size: int = SIZE) -> Measured:
    """A run, the rest of whose figures are the same for all."""
    return Measured(
        side, STEPS, size, 0, wall_s, 1.0, 1.0, 0.1, Weight(2411, history_bytes, 100), f"{side}-id", "run-id"
    )


def at_once(side: Side | Peer, wall_s: float) -> SideBySide:
    """Fifty runs of ten steps, the rest of whose figures are the same for all."""
    return SideBySide(side, 50, 10, 200, wall_s, 5.0, 5.0, 1.0, {"RespondWorkflowTaskCompleted": 3000}, 0.01)


def compared() -> PeerFindings:
    """Strands did all, LangGraph outgrew the history, pydantic-ai is not installed; OpenAI Agents has not come yet."""
    found = PeerFindings()
    found.versions = {"langgraph": {"langgraph": "1.2.24"}, "strands": {"strands-agents": "1.62.0"}}
    found.absent = {"pydantic_ai": "no [temporal] found"}
    found.runs = [
        *(run(side, 2.0, 1_000_000) for side in OWN),
        *(run(side, 4.0, 1_500_000) for side in OWN),
        run("strands", 6.0, 40_000_000),
        run("strands", 16.0, 45_000_000),
        run("langgraph", 7.0, 49_000_000),
    ]
    found.beside = [at_once(side, 8.0) for side in OWN] + [at_once("strands", 16.0), at_once("langgraph", 10.0)]
    found.unfinished = [Unfinished("langgraph", of_run(STEPS, SIZE), "Workflow history size exceeds limit.")]
    found.memory_bytes = {"bare": 80_000_000, "ours": 100_000_000, "strands": 200_000_000}
    found.start_s = {"bare": [0.3], "ours": [0.4], "strands": [0.9]}
    return found


def figure(found: PeerFindings, what: str, name: str, side: Side | Peer) -> Figure:
    """The one figure."""
    (one,) = (each for each in figures(found) if (each.what, each.name, each.side) == (what, name, side))
    return one


def printed(found: PeerFindings) -> list[str]:
    """The lines of the table and of what is below it."""
    console = Console(width=150, color_system=None)
    with console.capture() as captured:
        console.print(peer_tables(found))
    return captured.get().splitlines()


def row(lines: list[str], name: str) -> list[str]:
    """The cells of the first row of that name, without the name."""
    line = next(line for line in lines if line.startswith("│") and name in line)
    return [cell.strip() for cell in line.strip("│").split("│")][1:]


def test_ratio_is_the_median_of_neighbouring_runs_not_the_ratio_of_medians() -> None:
    of = figure(compared(), of_run(STEPS, SIZE), "wall ms per step", "strands")

    # 6 s beside 2 s, 16 s beside 4 s.
    assert (of.value, of.ratio) == (55.0, 3.5)


def test_side_that_failed_once_has_no_figure_of_that_job_and_keeps_those_of_others() -> None:
    found = compared()

    failed = figure(found, of_run(STEPS, SIZE), "history bytes", "langgraph")
    other = figure(found, of_many(50, 10, 200), "steps per second", "langgraph")

    assert (failed.value, failed.ratio, failed.reason) == (None, None, "Workflow history size exceeds limit.")
    assert (other.value, other.ratio) == (50.0, 0.8)


def test_table_shows_bare_in_units_and_the_others_against_it() -> None:
    lines = printed(compared())

    assert row(lines, "history bytes") == ["1,250,000", "x 1.00", "x 1.00", "history limit", "x 35.00"]
    assert row(lines, "steps per second") == ["62.50", "x 1.00", "x 1.00", "x 0.80", "x 0.50"]
    assert row(lines, "requests per step") == ["6.00", "x 1.00", "x 1.00", "x 1.00", "x 1.00"]
    assert row(lines, "start to first poll") == ["300", "x 1.33", "-", "-", "x 3.00"]
    assert row(lines, "peak memory MB") == ["80.00", "x 1.25", "-", "-", "x 2.50"]


def test_reasons_stand_below_the_table_as_they_are() -> None:
    lines = printed(compared())

    job = "a run of 200 steps, results of 4,096 bytes"
    assert f"LangGraph did not finish {job}: Workflow history size exceeds limit." in lines
    assert "pydantic-ai took no part: no [temporal] found" in lines
    assert "Strands: strands-agents 1.62.0" in lines


def test_table_without_any_peer_has_our_own_sides() -> None:
    found = PeerFindings(runs=[run(side, 2.0, 1_000_000) for side in OWN], absent={"strands": "no uv found"})

    lines = printed(found)

    assert row(lines, "history bytes") == ["1,000,000", "x 1.00", "x 1.00"]
    assert "Strands took no part: no uv found" in lines
