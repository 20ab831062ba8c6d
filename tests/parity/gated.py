"""Random conversations in which people decide: gated tools, tools that ask, what they are answered."""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from hypothesis import strategies as st
from spine_core import Agent, Interrupt, State, ToolContext, Usage, tool

from tests.parity import scripts
from tests.parity.scripts import ACTS, GUARDS, TOOLS, TURNS, Actor, Script, Turn

DEFERRED = "deferred_calls"


@tool(approve=True)
async def pay(a: int, b: int) -> int:
    """Pay; gated."""
    return a * b


@tool(approve=True)
def refund(to: str = "anna") -> str:
    """Refund; gated, sync."""
    return f"refunded {to}"


@tool(approve=True)
async def wreck(why: str) -> str:
    """Raise; gated."""
    raise RuntimeError(why)


@tool
async def ask(question: str) -> str:
    """Ask a person."""
    raise Interrupt({"question": question, "choices": [1, None]})


@tool
async def show(city: str) -> str:
    """Ask without words."""
    raise Interrupt


@tool(approve=True)
async def sign(text: str) -> str:
    """Gated; once it may, it asks."""
    raise Interrupt(f"sign {text}?")


GATED_TOOLS = [*TOOLS, pay, refund, wreck, ask, show, sign]

GATED_CALLS = st.sampled_from(
    [
        ("pay", {"a": 6, "b": 7}),
        ("pay", {"a": "x", "b": 7}),
        ("refund", {}),
        ("wreck", {"why": "no money"}),
        ("ask", {"question": "which?"}),
        ("show", {"city": "Bergen"}),
        ("sign", {"text": "the lease"}),
        ("add", {"a": 1, "b": 2}),
        ("broken", {"why": "no such otter"}),
        ("nowhere", {"z": 1}),
    ]
)
ANSWERS = st.sampled_from(
    [
        *("approve", "Approved ", "YES", "y", "true", "ok"),
        *("no", "reject", "", "not today: 'never'", "n"),
        *(True, True, False, None, 0, 1, 2.5),
        *({}, {"to": "ben", "list": [1, None]}, [], ["ü"]),
    ]
)


class GatedActor(Actor):
    """Leaves out what the kernel does otherwise with a call that was approved, or with the calls behind it."""

    async def before_tool(self, ctx: ToolContext) -> None:
        await super().before_tool(ctx)
        # On a call that was approved, the kernel does not look at `skip`.
        ctx.skip = False

    async def after_tool(self, ctx: ToolContext) -> None:
        before = ctx.error
        # Of a call that was approved, the kernel does not set `error`.
        ctx.error = None
        await super().after_tool(ctx)
        ctx.error = before

    def _on_state(self, state: State, what: str | None) -> None:
        deferred = state.scratch.get(DEFERRED)
        super()._on_state(state, what)
        if what == "forget" and deferred is not None:
            # The kernel would lose the calls.
            state.scratch[DEFERRED] = deferred


class LateStore:
    """The kernel's store, but it sees what `on_run_end` did to the State after the kernel had written it."""

    def __init__(self) -> None:
        self._states: dict[str, State] = {}

    async def put(self, state: State) -> None:
        self._states[state.session_id] = state

    async def get(self, session_id: str) -> State | None:
        return State.model_validate_json(self._states[session_id].model_dump_json())

    async def delete(self, session_id: str) -> None:
        del self._states[session_id]


@dataclass(frozen=True)
class Gated(scripts.Conversation):
    """A conversation with what it is answered, one after another; for ever the last one."""

    answers: tuple[Any, ...] = (True,)

    def agent(self) -> Agent:
        return Agent(
            Script(self.turns),
            tools=GATED_TOOLS,
            guards=self.guards,
            middleware=[GatedActor(self.acts)] if self.hooked else [],
            checkpoint=LateStore(),
            system=self.system,
            tenant_id=self.tenant_id,
        )

    def answer(self, number: int) -> Any:
        return self.answers[min(number, len(self.answers) - 1)]


@dataclass(frozen=True)
class Batch:
    """One step that asks for several gated calls, and what each of them is answered; `order` says in which order."""

    calls: tuple[tuple[str, dict[str, Any]], ...]
    answers: tuple[Any, ...]
    order: tuple[int, ...]

    def agent(self) -> Agent:
        turn = Turn(None, self.calls, Usage(input_tokens=1))
        return Agent(Script((turn,)), tools=GATED_TOOLS, checkpoint=LateStore())


def _calling(turn: Turn, calls: list[tuple[str, dict[str, Any]]]) -> Turn:
    return replace(turn, calls=tuple(calls))


def _batch(calls: list[tuple[str, dict[str, Any]]], answers: list[Any], seed: Random) -> Batch:
    order = list(range(len(calls)))
    seed.shuffle(order)
    return Batch(tuple(calls), tuple(answers), tuple(order))


GATED_TURNS = st.builds(_calling, TURNS, st.lists(GATED_CALLS, min_size=1, max_size=4))
GATED = st.builds(
    Gated,
    turns=st.lists(GATED_TURNS, min_size=1, max_size=3).map(tuple),
    guards=GUARDS,
    acts=st.lists(ACTS, max_size=5).map(tuple),
    hooked=st.booleans(),
    system=st.sampled_from([None, "be brief"]),
    tenant_id=st.sampled_from([None, "t1"]),
    answers=st.lists(ANSWERS, min_size=1, max_size=8).map(tuple),
)
BATCHES = st.builds(
    _batch,
    st.lists(
        st.sampled_from(
            [
                ("pay", {"a": 6, "b": 7}),
                ("refund", {"to": "ben"}),
                ("wreck", {"why": "no money"}),
                ("add", {"a": 1, "b": 2}),
            ]
        ),
        min_size=2,
        max_size=5,
    ),
    st.lists(ANSWERS, min_size=5, max_size=5),
    st.randoms(use_true_random=False),
)
