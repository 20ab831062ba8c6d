"""An agent elsewhere, reached over A2A, is a tool like any other."""

from collections.abc import Iterator

import pytest
from spine_a2a import A2AAgent
from spine_core import Agent
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.features.adapters.agents import Obedient
from tests.support.harness import ONLY_NORMAL, Durable, assert_same
from tests.support.services.web import serving

pytestmark = pytest.mark.durable


async def answer(request: Request) -> Response:
    """What a real A2A agent says: a message, or a task with an artifact; or that it cannot."""
    asked = await request.json()
    assert asked["method"] == "message/send"
    said = asked["params"]["message"]["parts"][0]["text"]
    if said == "fall over":
        return Response(status_code=500)
    if said == "refuse":
        return JSONResponse({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -32000, "message": "no otters"}})
    parts = [{"kind": "text", "text": f"researched {said}"}]
    result = (
        {"kind": "message", "parts": parts} if "otter" in said else {"kind": "task", "artifacts": [{"parts": parts}]}
    )
    return JSONResponse({"jsonrpc": "2.0", "id": asked["id"], "result": result})


@pytest.fixture
def endpoint() -> Iterator[str]:
    with serving(Starlette(routes=[Route("/a2a", answer, methods=["POST"])])) as url:
        yield f"{url}/a2a"


@ONLY_NORMAL
@pytest.mark.parametrize("task", ["about otters", "about seals", "refuse", "fall over"])
async def test_an_agent_elsewhere_answers_as_on_the_kernel(durable: Durable, endpoint: str, task: str) -> None:
    said = f'researcher {{"input": "{task}"}}'
    async with A2AAgent(endpoint, name="researcher") as ours, A2AAgent(endpoint, name="researcher") as theirs:
        result = await durable(Agent(Obedient(), tools=[ours.as_tool()])).run(said)
        kernels = await Agent(Obedient(), tools=[theirs.as_tool()]).run(said)

    assert_same(result, kernels)
