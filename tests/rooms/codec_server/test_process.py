"""The codec server as a process: its settings are the workers', and it says what is missing."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import httpx
import pytest

from spine_temporal.encryption import new_key
from tests.support.ports import free_port
from tests.support.waiting import until

SCRIPT = Path(__file__).parents[3] / "workers" / "codec_server.py"
KEY = new_key("k")
JWT_KEY = {"SPINE_TEMPORAL_CODEC_JWT_KEY_FILE": "/no/such/file"}


async def started(settings: dict[str, str]) -> asyncio.subprocess.Process:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SPINE_TEMPORAL")}
    return await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), env=environment | settings, stdout=PIPE, stderr=STDOUT
    )


async def test_it_serves_until_it_is_told_to_end_and_logs_for_whom_it_decoded_what(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("ops token-of-ops-1234567890 default")
    port = free_port()
    process = await started(
        {
            "SPINE_TEMPORAL_KEYS": KEY,
            "SPINE_TEMPORAL_CODEC_TOKEN_FILE": str(tokens),
            "SPINE_TEMPORAL_CODEC_PORT": str(port),
        }
    )

    async def healthy() -> bool:
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"http://127.0.0.1:{port}/healthz")).text == "ok"
        except httpx.TransportError:
            return False

    try:
        await until(healthy, "the server")
        headers = {"authorization": "Bearer token-of-ops-1234567890"}
        async with httpx.AsyncClient() as client:
            answer = await client.post(
                f"http://127.0.0.1:{port}/default/decode", json={"payloads": []}, headers=headers
            )
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = await process.communicate()

    assert (answer.status_code, process.returncode) == (200, 0)
    assert b"decoded 0 payloads of namespace 'default' for ops" in said
    assert b"token-of-ops" not in said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "there are no keys to decode with; set SPINE_TEMPORAL_KEYS"),
        ({"SPINE_TEMPORAL_KEYS": "k:short"}, "is not 32 bytes in base64"),
        ({"SPINE_TEMPORAL_KEYS": KEY}, "nobody could ask: set SPINE_TEMPORAL_CODEC_TOKEN_FILE"),
        ({"SPINE_TEMPORAL_KEYS": KEY} | JWT_KEY, "SPINE_TEMPORAL_CODEC_JWT_AUDIENCE is not set"),
        ({"SPINE_TEMPORAL_KEYS": KEY, "SPINE_TEMPORAL_CODEC_JWT_AUDIENCE": "codec"} | JWT_KEY, "cannot be read"),
        (
            {
                "SPINE_TEMPORAL_KEYS": KEY,
                "SPINE_TEMPORAL_CODEC_JWT_AUDIENCE": "codec",
                "SPINE_TEMPORAL_CODEC_JWT_KEY_FILE": __file__,
            },
            "holds no public key",
        ),
        ({"SPINE_TEMPORAL_KEYS": KEY, "SPINE_TEMPORAL_CODEC_ENCODE": "maybe"}, "CODEC_ENCODE is 'maybe'; it is 1 or 0"),
        ({"SPINE_TEMPORAL_KEYS": KEY, "SPINE_TEMPORAL_CODEC_PORT": "65536"}, "CODEC_PORT is '65536'; it is a number"),
    ],
    ids=["no keys", "no key", "no access", "no audience", "no file", "no web token key", "encode", "port"],
)
async def test_it_does_not_begin_without_keys_or_callers(settings: dict[str, str], said: str) -> None:
    process = await started(settings)
    out, _ = await process.communicate()

    assert process.returncode == 1
    assert f"error: {out.decode().partition('error: ')[2]}" == out.decode()
    assert said in out.decode()
