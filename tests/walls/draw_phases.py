"""Draw the phases of a tool call into the page on internals: `python -m tests.walls.draw_phases`."""

from pathlib import Path
from typing import Final

from spine_temporal.journal.tool_calls import TRANSITIONS, Event, Phase

PAGE: Final = Path(__file__).parents[2] / "spine_temporal" / "docs" / "internals.md"
BEGIN: Final = "<!-- phases: drawn from journal/tool_calls.py by `python -m tests.walls.draw_phases` -->"
END: Final = "<!-- phases: end -->"


def drawn(transitions: dict[tuple[Phase, Event], Phase] = TRANSITIONS) -> str:
    """The table as a diagram; events that lead the same way share an arrow."""
    arrows: dict[tuple[Phase, Phase], list[Event]] = {}
    for (phase, event), following in transitions.items():
        arrows.setdefault((phase, following), []).append(event)
    return "\n".join(
        [
            "```mermaid",
            "stateDiagram-v2",
            f"    [*] --> {Phase.PLANNED}",
            *(f"    {phase} --> {to}: {', '.join(events)}" for (phase, to), events in arrows.items()),
            f"    {Phase.ENTERED} --> [*]",
            "```",
        ]
    )


def parts(page: str) -> tuple[str, str, str]:
    """What the page has before the diagram, the diagram, and what it has behind it.

    Raises:
        ValueError: the page does not have each of the two markers once, in their order.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ValueError(f"{PAGE.name} needs the lines {BEGIN!r} and {END!r}, each once")
    before, _, rest = page.partition(BEGIN)
    diagram, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"in {PAGE.name}, {END!r} comes before {BEGIN!r}")
    return before, diagram.strip(), after


def main() -> None:
    before, _, after = parts(PAGE.read_text())
    PAGE.write_text(f"{before}{BEGIN}\n\n{drawn()}\n\n{END}{after}")


if __name__ == "__main__":
    main()
