"""The codec server over HTTP: whoever may ask gets what is in a payload, nobody else anything."""

import asyncio
import base64
import json
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.codec_server.access import Access, Jwts, Tokens
from spine_temporal.codec_server.app import MAX_BODY_BYTES, CodecServer
from spine_temporal.encryption import EncryptionCodec, KeyRing, encrypted, new_key
from spine_temporal.errors import BadInput
from tests.support.agents_at_hand import adding_agent
from tests.support.services.web import serving

RING = KeyRing.parse(new_key("k"), "here")
SAID = Payload(metadata={"encoding": b"json/plain"}, data=b'"otter"')
OF_DEFAULT, OF_OTHER = "token-of-ops-1234567890", "token-of-others-1234567890"
UI = "http://localhost:8233"
PRIVATE = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    tokens = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens.write_text(f"ops {OF_DEFAULT} default,more  # the operators\nothers {OF_OTHER} other\n")
    public = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    access: list[Access] = [Tokens.read(tokens), Jwts(public, "codec")]
    with serving(CodecServer(RING, access, [UI]).app()) as url:
        yield url


@pytest.fixture(scope="module")
def encoding_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    tokens = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens.write_text(f"ops {OF_DEFAULT} default\n")
    with serving(CodecServer(RING, [Tokens.read(tokens)], encodes=True).app()) as url:
        yield url


def as_json(*payloads: Payload) -> dict[str, Any]:
    written = [
        {
            "metadata": {key: base64.b64encode(value).decode() for key, value in payload.metadata.items()},
            "data": base64.b64encode(payload.data).decode(),
        }
        for payload in payloads
    ]
    return {"payloads": written}


async def sealed(namespace: str = "default") -> Payload:
    (payload,) = await EncryptionCodec(RING, namespace).encode([SAID])
    return payload


async def asked(url: str, path: str, token: str | None, *payloads: Payload, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        sent["authorization"] = f"Bearer {token}"
    async with httpx.AsyncClient() as client:
        return await client.post(f"{url}{path}", json=as_json(*payloads), headers=sent)


async def test_payloads_are_decoded_for_whoever_has_a_token_of_their_namespace(server: str) -> None:
    by_path = await asked(server, "/default/decode", OF_DEFAULT, await sealed(), SAID)
    by_header = await asked(server, "/decode", OF_DEFAULT, await sealed(), SAID, x_namespace="default")

    assert by_path.json() == by_header.json() == as_json(SAID, SAID)
    assert by_path.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("token", [None, "nonsense", OF_DEFAULT[:-1], OF_DEFAULT + "x", "ü" * 20])
async def test_without_a_valid_token_nothing_is_decoded(server: str, token: str | None) -> None:
    headers = {} if token is None else {"authorization": f"Bearer {token}".encode()}
    async with httpx.AsyncClient() as client:
        refused = await client.post(f"{server}/default/decode", json=as_json(await sealed()), headers=headers)  # type: ignore[arg-type]

    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert "otter" not in refused.text


async def test_token_of_another_namespace_is_refused(server: str) -> None:
    assert (await asked(server, "/default/decode", OF_OTHER, await sealed())).status_code == 403
    assert (await asked(server, "/decode", OF_OTHER, await sealed(), x_namespace="default")).status_code == 403
    assert (await asked(server, "/decode", OF_OTHER, await sealed())).status_code == 400


async def test_payload_of_another_namespace_is_left_as_it_is(server: str) -> None:
    payload = await sealed("default")

    answer = await asked(server, "/other/decode", OF_OTHER, payload)

    assert answer.json() == as_json(payload)


def web_token(key: Any = PRIVATE, algorithm: str = "ES256", **claims: Any) -> str:
    made = {"sub": "otto", "aud": "codec", "exp": time.time() + 86_400, "permissions": ["default:read"]} | claims
    return jwt.encode({name: value for name, value in made.items() if value is not None}, key, algorithm=algorithm)


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (web_token(), 200),
        (web_token(permissions=["temporal-system:admin"]), 200),
        (web_token(permissions=["other:read"]), 403),
        (web_token(permissions="default:read"), 403),
        (web_token(permissions=None), 403),
        (web_token(exp=time.time() - 600), 401),
        (web_token(exp=None), 401),
        (web_token(aud="another"), 401),
        (web_token(aud=None), 401),
        (web_token(ec.generate_private_key(ec.SECP256R1())), 401),
        (web_token("a-secret-that-is-long-enough-for-it", "HS256"), 401),
        (web_token("", "none"), 401),
    ],
    ids=["right", "system", "other", "text", "none", "old", "endless", "audience", "all", "key", "secret", "unsigned"],
)
async def test_web_token_is_taken_if_it_is_signed_for_this_server_and_the_namespace(
    server: str, token: str, status: int
) -> None:
    assert (await asked(server, "/default/decode", token, await sealed())).status_code == status


async def test_payloads_are_encoded_only_when_that_was_asked_for(server: str, encoding_server: str) -> None:
    refused = await asked(server, "/default/encode", OF_DEFAULT, SAID)
    answer = await asked(encoding_server, "/default/encode", OF_DEFAULT, SAID)
    back = await asked(encoding_server, "/default/decode", OF_DEFAULT, Payload(**_payload(answer.json())))

    assert refused.status_code == 403
    assert b"otter" not in base64.b64decode(answer.json()["payloads"][0]["data"])
    assert back.json() == as_json(SAID)


def _payload(answer: dict[str, Any]) -> dict[str, Any]:
    (payload,) = answer["payloads"]
    metadata = {key: base64.b64decode(value) for key, value in payload["metadata"].items()}
    return {"metadata": metadata, "data": base64.b64decode(payload["data"])}


async def test_only_the_pages_that_are_named_may_ask(server: str) -> None:
    async with httpx.AsyncClient() as client:
        asking = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
        named = await client.options(f"{server}/default/decode", headers={"origin": UI, **asking})
        longer = await client.options(f"{server}/default/decode", headers={"origin": f"{UI}.evil.example", **asking})

    assert named.headers["access-control-allow-origin"] == UI
    assert longer.status_code == 400
    assert "access-control-allow-origin" not in longer.headers
    assert (await asked(server, "/default/decode", OF_DEFAULT, await sealed(), origin=UI)).status_code == 200
    evil = await asked(server, "/default/decode", OF_DEFAULT, await sealed(), origin="https://evil.example")
    assert evil.status_code == 403


async def test_preflight_allows_what_the_web_ui_sends_for_a_user_who_is_logged_in(server: str) -> None:
    sent = "authorization,authorization-extras,content-type,x-namespace"
    asking = {"access-control-request-method": "POST", "access-control-request-headers": sent}
    async with httpx.AsyncClient() as client:
        answer = await client.options(f"{server}/decode?preserveStorageRefs=true", headers={"origin": UI, **asking})

    assert answer.status_code == 200


async def test_refusals_are_logged_with_their_reason_and_without_the_token(
    server: str, caplog: pytest.LogCaptureFixture
) -> None:
    await asked(server, "/default/decode", "wrong-token-1234567890")
    await asked(server, "/{namespace}/decode", OF_DEFAULT, x_namespace="default")

    assert "a valid bearer token is required" in caplog.text
    assert "the token is not for namespace '{namespace}'" in caplog.text
    assert "wrong-token" not in caplog.text


async def test_too_much_is_refused_and_so_is_what_is_no_json(server: str) -> None:
    headers = {"authorization": f"Bearer {OF_DEFAULT}"}
    async with httpx.AsyncClient() as client:
        large = await client.post(f"{server}/default/decode", content=b" " * (MAX_BODY_BYTES + 1), headers=headers)
        garbage = await client.post(f"{server}/default/decode", content=b"\xff{", headers=headers)
        other = await client.post(f"{server}/default/decode", content=b'{"payloads": 5}', headers=headers)
        unauthorized = await client.post(f"{server}/default/decode", content=b" " * (MAX_BODY_BYTES + 1))

    assert (large.status_code, garbage.status_code, other.status_code) == (413, 400, 400)
    assert unauthorized.status_code == 401


@pytest.mark.parametrize("origin", ["*", "https://*.example", "example", "https://example/", "null"])
def test_origin_that_is_not_exact_is_refused(origin: str) -> None:
    with pytest.raises(BadInput, match="is no origin"):
        CodecServer(RING, [], [origin]).app()


@pytest.mark.parametrize(
    "line", ["ops short default", "ops only-a-token-1234567", "", f"a {OF_OTHER} x\nb {OF_OTHER} y"]
)
def test_file_of_tokens_that_is_none_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "tokens"
    path.write_text(line)

    with pytest.raises(BadInput) as raised:
        Tokens.read(path)
    assert OF_OTHER not in str(raised.value)


@pytest.mark.durable
async def test_temporals_own_command_shows_an_encrypted_run(server: str, client: Client) -> None:
    config = client.config()
    config["data_converter"] = encrypted(RING, client.namespace)
    ours, queue = Client(**config), f"test-{uuid.uuid4().hex}"
    async with AgentWorker(ours, agents=[adding_agent()], task_queue=queue):
        run = await DurableAgent("assistant", ours, task_queue=queue).start("add for the otter")
        await run.result()

    shown = await _temporal(
        client, run.workflow_id, "--codec-endpoint", f"{server}/{{namespace}}", "--codec-auth", f"Bearer {OF_DEFAULT}"
    )
    plain = await _temporal(client, run.workflow_id)

    assert "add for the otter" in shown
    assert "add for the otter" not in plain


async def _temporal(client: Client, workflow_id: str, *options: str) -> str:
    """What `temporal workflow show` says, its payloads in clear."""
    command = [str(Path(sys.executable).with_name("temporal")), "workflow", "show", "--workflow-id", workflow_id]
    address = client.service_client.config.target_host
    process = await asyncio.create_subprocess_exec(
        *command, "--address", address, "--output", "json", *options, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    return json.dumps([_clear(json.loads(said))])


def _clear(value: Any) -> Any:
    if isinstance(value, dict):
        if isinstance(value.get("data"), str) and "metadata" in value:
            return base64.b64decode(value["data"]).decode(errors="replace")
        return {key: _clear(each) for key, each in value.items()}
    return [_clear(each) for each in value] if isinstance(value, list) else value
