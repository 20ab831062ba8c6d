"""Agents that spend, pay and ask, and write down what they really did."""

import fcntl
import time
from pathlib import Path
from typing import Any

import anyio
from spine_core import Agent, Message, ModelResponse, Role, tool
from spine_core.testing import calls, text

from spine_temporal.middleware import Idempotency, RateLimit, TenantBudget
from spine_temporal.middleware.server_state import name_of_work

COST_USD = 0.25
BUDGET_USD = 1.0
MAX_CALLS, PER_S = 4, 0.4


class Book:
    """A file that several processes write lines into."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "book"

    def write(self, line: str) -> None:
        with self._file.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(line + "\n")

    def lines(self, begin: str) -> list[str]:
        if not self._file.exists():
            return []
        return [line for line in self._file.read_text().splitlines() if line.startswith(begin)]


class Model:
    """Calls the tool once if there is one, then answers. It decides from what it is given, so any process may go on."""

    def __init__(self, book: Book) -> None:
        self._book = book

    async def complete(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **_: Any
    ) -> ModelResponse:
        self._book.write(f"asked {name_of_work()} {time.time()}")
        said = str(messages[-1].content)
        if not tools or messages[-1].role is Role.TOOL:
            return text(f"so {said}", cost_usd=COST_USD)
        return calls((tools[0]["name"], {"invoice": said}), cost_usd=COST_USD)


def agents(folder: Path) -> list[Agent]:
    """A spender, a payer, an asker."""
    book = Book(folder)

    @tool
    async def pay(invoice: str) -> str:
        """Pay an invoice."""
        book.write(f"paid {invoice}")
        while (folder / f"hold {invoice}").exists():
            await anyio.sleep(0.01)
        return f"paid {invoice}"

    return [
        Agent(Model(book), name="spender", tenant_id="acme", middleware=[TenantBudget(max_cost_usd=BUDGET_USD)]),
        Agent(Model(book), name="payer", tools=[pay], middleware=[Idempotency(tools=["pay"], name=folder.name)]),
        Agent(Model(book), name="asker", middleware=[RateLimit(MAX_CALLS, PER_S, name=folder.name)]),
    ]
