"""The pages that are shipped with the package: what `spine-temporal docs` does."""

import os
import re
from importlib.resources import files
from typing import Final

from rich.markdown import Markdown

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.terminal import print_facts, stdout, write
from spine_temporal.errors import BadInput

_PAGE_WIDTH: Final = 100
"""Prose in longer lines is hard to read."""


def docs(page: str | None) -> Exit:
    """Show the page; without a name, list the pages with their first sentence.

    Raises:
        BadInput: there is no such page.
    """
    pages = read_pages()
    if page is None:
        print_facts([(name, first_sentence(text)) for name, text in pages.items()])
        return Exit.DONE
    text = pages.get(page.lower().removesuffix(".md"))
    if text is None:
        raise BadInput(f"there is no page {page!r}; there are: {', '.join(pages)}")
    if stdout().is_terminal:
        _page(text)
    else:
        write(text)
    return Exit.DONE


def read_pages() -> dict[str, str]:
    """The text of each page by its name, sorted."""
    folder = files("spine_temporal") / "docs"
    found = sorted(file.name for file in folder.iterdir() if file.name.endswith(".md"))
    return {name.removesuffix(".md"): (folder / name).read_text(encoding="utf-8") for name in found}


def first_sentence(text: str) -> str:
    """The first sentence below the title, without Markdown's marks."""
    paragraph = next(part for part in text.split("\n\n") if part.strip() and not part.startswith("#"))
    sentence = re.split(r"(?<=\.)\s", " ".join(paragraph.split()), maxsplit=1)[0]
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", sentence).replace("`", "").replace("*", "")


def _page(text: str) -> None:
    # `less` shows colours only with -R; with -F it ends by itself when the page fits the screen.
    os.environ.setdefault("LESS", "-FR")
    console = stdout()
    with console.pager(styles=True):
        console.print(Markdown(text), width=min(console.width, _PAGE_WIDTH))
