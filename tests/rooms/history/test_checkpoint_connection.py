"""Reaching the server: by Temporal's own settings, or with a clear line when it cannot be reached."""

import asyncio
import os
import socket
import uuid
from pathlib import Path

import pytest
from spine_core import Message, State
from temporalio.client import Client

from spine_temporal import TemporalCheckpoint
from spine_temporal.connection import connect as connecting
from spine_temporal.connection.connect import connect
from spine_temporal.connection.settings import connect_options
from spine_temporal.errors import BadInput, ServerUnreachable
from spine_temporal.testing import dev_server


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("TEMPORAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "temporal.toml"))


def write_profile(tmp_path: Path, text: str) -> None:
    (tmp_path / "temporal.toml").write_text(text)


@pytest.fixture
def deaf_address() -> str:
    """Where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def test_without_settings_it_is_localhost() -> None:
    assert connect_options() == {"target_host": "localhost:7233"}


def test_arguments_go_before_variables_and_variables_before_the_profile(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_profile(tmp_path, '[profile.default]\naddress = "a:1"\nnamespace = "one"\n[profile.b]\naddress = "b:1"')
    assert connect_options() == {"target_host": "a:1", "namespace": "one"}
    assert connect_options(profile="b") == {"target_host": "b:1"}

    monkeypatch.setenv("TEMPORAL_NAMESPACE", "two")
    assert connect_options() == {"target_host": "a:1", "namespace": "two"}
    assert connect_options(address="c:1", namespace="three") == {"target_host": "c:1", "namespace": "three"}


def test_settings_that_cannot_be_used_say_so_without_quoting_the_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"Profile 'nope' not found.*TEMPORAL_PROFILE"):
        connect_options(profile="nope")

    write_profile(tmp_path, '[profile.default]\napi_key = "s3cret')
    with pytest.raises(BadInput, match="line 2") as caught:
        connect_options()
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__


async def test_no_server_is_one_line_with_the_next_step(deaf_address: str) -> None:
    with pytest.raises(ServerUnreachable) as caught:
        await connect(address=deaf_address)

    assert str(caught.value) == (
        f"no Temporal server answers at {deaf_address}; start one with `spine-temporal dev`, or set TEMPORAL_ADDRESS"
    )


async def test_a_server_that_says_nothing_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "_PATIENCE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"

        with pytest.raises(ServerUnreachable, match=f"no Temporal server answers at {address}"):
            await connect(address=address)


async def test_a_server_that_is_not_temporal_is_called_so() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()

        with pytest.raises(ServerUnreachable, match=f"{host}:{port}"):
            await connect(address=f"{host}:{port}")


@pytest.mark.durable
async def test_a_store_without_a_client_connects_on_first_use(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", client.service_client.config.target_host)
    store, state = TemporalCheckpoint(), State(session_id=uuid.uuid4().hex, messages=[Message.user("hello")])

    await store.put(state)

    assert await TemporalCheckpoint(client).get(state.session_id) == state


async def test_a_store_without_a_server_says_so(monkeypatch: pytest.MonkeyPatch, deaf_address: str) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", deaf_address)

    with pytest.raises(ServerUnreachable, match=f"no Temporal server answers at {deaf_address}"):
        await TemporalCheckpoint().put(State(session_id="s"))


@pytest.mark.durable
async def test_a_store_whose_server_went_away_says_so_and_goes_on_when_it_is_back() -> None:
    async with dev_server() as server:
        store, state = TemporalCheckpoint(server.client), State(session_id="s", messages=[Message.user("hello")])
        await store.put(state)
        await server.kill()
        state.add_message(Message.user("more"))
        calls = (store.put(state), store.get("s"), store.delete("s"))
        for error in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(error, ServerUnreachable)
            assert f"no Temporal server answers at {server.address}" in str(error)

        await server.restart()
        await store.put(state)

        assert await TemporalCheckpoint(server.client).get("s") == state
