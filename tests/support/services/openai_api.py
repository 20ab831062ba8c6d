"""How OpenAI's chat completions are spoken."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.services.small_model import Parameters, Reply, Turn, pieces_of


class OpenAIDialect:
    """`POST /v1/chat/completions`, whole or as server-sent events."""

    path = "/v1/chat/completions"
    base = "/v1"

    def key_in(self, headers: Mapping[str, str]) -> str:
        return headers.get("authorization", "").removeprefix("Bearer ")

    def turns(self, body: Mapping[str, Any]) -> list[Turn]:
        return [
            Turn(
                role=message["role"],
                text=message["content"] or "",
                calls=tuple(call["id"] for call in message.get("tool_calls", ())),
                answers=message.get("tool_call_id"),
            )
            for message in body["messages"]
        ]

    def tools(self, body: Mapping[str, Any]) -> Parameters:
        functions = [tool["function"] for tool in body.get("tools", ()) if tool["type"] == "function"]
        return {function["name"]: [*function["parameters"]["properties"]] for function in functions}

    def error(self, kind: str, message: str) -> dict[str, Any]:
        return {"error": {"message": message, "type": kind, "param": None, "code": None}}

    def whole(self, reply: Reply, body: Mapping[str, Any]) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": None}
        if reply.calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in reply.calls
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(reply)}
        return _envelope("chat.completion", body, choices=[choice], usage=_usage(reply))

    def events(self, reply: Reply, body: Mapping[str, Any]) -> Iterator[str]:
        for delta, finish in _deltas(reply):
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
            yield _event(_envelope("chat.completion.chunk", body, choices=[choice]))
        if body.get("stream_options", {}).get("include_usage"):
            yield _event(_envelope("chat.completion.chunk", body, choices=[], usage=_usage(reply)))
        yield "data: [DONE]\n\n"


def _deltas(reply: Reply) -> Iterator[tuple[dict[str, Any], str | None]]:
    yield {"role": "assistant", "content": ""}, None
    for piece in pieces_of(reply.text or ""):
        yield {"content": piece}, None
    for index, call in enumerate(reply.calls):
        named = {"name": call.name, "arguments": ""}
        yield {"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": named}]}, None
        for piece in pieces_of(call.arguments):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, None
    yield {}, _finish(reply)


def _finish(reply: Reply) -> str:
    return "tool_calls" if reply.calls else "stop"


def _usage(reply: Reply) -> dict[str, int]:
    return {
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": reply.input_tokens + reply.output_tokens,
    }


def _envelope(kind: str, body: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1_800_000_000, "model": body["model"], **more}


def _event(data: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"
