"""Who does the job, with the names that tables and the plot give them."""

from typing import Final, Literal

type Side = Literal["bare", "bare_local", "ours", "local", "streams"]
"""A Temporal workflow, one with a local activity, an agent, one with a local tool, a workflow with a stream."""
type Peer = Literal["openai_agents", "pydantic_ai", "langgraph", "strands"]
"""Another integration of agents, by its module in `tests.bench.peers`."""

OWN: Final[tuple[Side, ...]] = ("bare", "ours", "local")
AGENTS: Final[tuple[Side, ...]] = ("ours", "local")
PEERS: Final[tuple[Peer, ...]] = ("openai_agents", "pydantic_ai", "langgraph", "strands")
TITLES: Final[dict[Side | Peer, str]] = {
    "bare": "bare workflow",
    "ours": "spine-temporal",
    "local": "the same, local tool",
    "streams": "workflow streams",
    "openai_agents": "OpenAI Agents",
    "pydantic_ai": "pydantic-ai",
    "langgraph": "LangGraph",
    "strands": "Strands",
}
