"""How Anthropic's messages are spoken."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.services.small_model import Parameters, Reply, Turn, pieces_of


class AnthropicDialect:
    """`POST /v1/messages`, whole or as server-sent events."""

    path = "/v1/messages"
    base = ""

    def key_in(self, headers: Mapping[str, str]) -> str:
        # Anthropic's SDK 2 sends a key as a bearer token; the ones before it, and most who do without, as x-api-key.
        return headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")

    def turns(self, body: Mapping[str, Any]) -> list[Turn]:
        turns = [Turn("system", body["system"])] if "system" in body else []
        for message in body["messages"]:
            content = message["content"]
            blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
            results = [block for block in blocks if block["type"] == "tool_result"]
            turns += [Turn("tool", block["content"], answers=block["tool_use_id"]) for block in results]
            text = "\n".join(block["text"] for block in blocks if block["type"] == "text")
            calls = tuple(block["id"] for block in blocks if block["type"] == "tool_use")
            if text or calls:
                turns.append(Turn(message["role"], text, calls))
        return turns

    def tools(self, body: Mapping[str, Any]) -> Parameters:
        return {tool["name"]: [*tool["input_schema"]["properties"]] for tool in body.get("tools", ())}

    def error(self, kind: str, message: str) -> dict[str, Any]:
        return {"type": "error", "error": {"type": kind, "message": message}}

    def whole(self, reply: Reply, body: Mapping[str, Any]) -> dict[str, Any]:
        content = [block | filled for block, _, filled in _blocks(reply)]
        return _message(body, content=content, stop_reason=_stop(reply), usage=_usage(reply, reply.output_tokens))

    def events(self, reply: Reply, body: Mapping[str, Any]) -> Iterator[str]:
        begun = _message(body, content=[], stop_reason=None, usage=_usage(reply, 1))
        yield _event("message_start", message=begun)
        yield _event("ping")
        for index, (block, deltas, _) in enumerate(_blocks(reply)):
            yield _event("content_block_start", index=index, content_block=block)
            for delta in deltas:
                yield _event("content_block_delta", index=index, delta=delta)
            yield _event("content_block_stop", index=index)
        ended = {"stop_reason": _stop(reply), "stop_sequence": None}
        yield _event("message_delta", delta=ended, usage={"output_tokens": reply.output_tokens})
        yield _event("message_stop")


type _Block = tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]
"""A block as it begins, what is streamed of it, what it is filled with in the end."""


def _blocks(reply: Reply) -> Iterator[_Block]:
    if reply.text is not None:
        pieces = [{"type": "text_delta", "text": piece} for piece in pieces_of(reply.text)]
        yield {"type": "text", "text": ""}, pieces, {"text": reply.text}
    for call in reply.calls:
        pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces_of(call.arguments)]
        begun = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        yield begun, pieces, {"input": json.loads(call.arguments)}


def _stop(reply: Reply) -> str:
    return "tool_use" if reply.calls else "end_turn"


def _usage(reply: Reply, output_tokens: int) -> dict[str, int]:
    return {"input_tokens": reply.input_tokens, "output_tokens": output_tokens}


def _message(body: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    common = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "stop_sequence": None}
    return common | more


def _event(kind: str, **more: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n"
