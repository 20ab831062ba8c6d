"""API keys and certificates are replaced under a running worker, and nothing is lost."""

import asyncio
import datetime
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from spine_core import Agent
from spine_core.testing import ScriptedProvider, text
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.connection.connect import connect
from spine_temporal.connection.credentials import renewed
from spine_temporal.errors import BadInput
from tests.support.proxy.grpc_proxy import Call, GrpcProxy
from tests.support.waiting import until

pytestmark = pytest.mark.durable


def replace(path: Path, content: bytes) -> None:
    """As secrets are replaced: at once, by another file."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.replace(path)


@asynccontextmanager
async def served() -> AsyncIterator[DurableAgent]:
    """A worker with the credentials of the settings, and an agent of it to ask by the same connection."""
    client, task_queue = await connect(), f"renewal-{uuid.uuid4().hex}"
    agents = {"echo": lambda: Agent(ScriptedProvider(text("echo")))}
    worker = AgentWorker(client, agents=agents, task_queue=task_queue)
    async with worker, renewed(worker, {}, every_s=0.05):
        yield DurableAgent("echo", client, task_queue=task_queue, session_ttl_s=0)


class Doorkeeper:
    """Lets calls pass that bear the API key of the moment."""

    def __init__(self, *accepted: str) -> None:
        self.accepted = set(accepted)
        self.came: set[str] = set()

    async def __call__(self, call: Call) -> bytes:
        key = dict(call.metadata).get("authorization", "").removeprefix("Bearer ")
        self.came.add(key)
        if key not in self.accepted:
            return await call.refuse("no such key", grpc.StatusCode.UNAUTHENTICATED)
        return await call.forward()


async def test_new_api_key_is_used_from_the_next_call_on(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, door = tmp_path / "key", Doorkeeper("one", "two")
    file.write_text("one\n")
    async with GrpcProxy(client.service_client.config.target_host, door) as proxy:
        monkeypatch.setenv("TEMPORAL_ADDRESS", proxy.address)
        monkeypatch.setenv("TEMPORAL_TLS", "false")
        monkeypatch.setenv("SPINE_TEMPORAL_API_KEY_FILE", str(file))
        async with served() as durable:
            assert (await durable.run("hi")).answer == "echo"
            assert door.came == {"one"}

            replace(file, b"two\n")
            await until(lambda: "two" in door.came, "a call with the new key")
            door.accepted, door.came = {"two"}, set()

            assert (await durable.run("hi")).answer == "echo"
            assert door.came == {"two"}


async def test_key_file_that_holds_none_leaves_the_old_key_in_use(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file, door = tmp_path / "key", Doorkeeper("one")
    file.write_text("one")
    async with GrpcProxy(client.service_client.config.target_host, door) as proxy:
        monkeypatch.setenv("TEMPORAL_ADDRESS", proxy.address)
        monkeypatch.setenv("TEMPORAL_TLS", "false")
        monkeypatch.setenv("SPINE_TEMPORAL_API_KEY_FILE", str(file))
        async with served() as durable:
            with caplog.at_level(logging.WARNING):
                replace(file, b"")
                await until(lambda: "holds no API key" in caplog.text, "a warning")

            assert (await durable.run("hi")).answer == "echo"
            assert caplog.text.count("holds no API key") == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read: FileNotFoundError"), (b"", "holds no"), (b"a b", "holds no"), (b"\xff", "")],
)
async def test_key_file_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, why: str
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("SPINE_TEMPORAL_API_KEY_FILE", str(file))

    with pytest.raises(BadInput, match=f"SPINE_TEMPORAL_API_KEY_FILE {file} {why}"):
        await connect()


async def test_two_settings_of_an_api_key_are_one_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPINE_TEMPORAL_API_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("TEMPORAL_API_KEY", "one")

    with pytest.raises(BadInput, match="both SPINE_TEMPORAL_API_KEY_FILE and TEMPORAL_API_KEY are set"):
        await connect()


class Authority:
    """Somebody who signs certificates."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        self.certificate, _ = self._signed(self._name, self._key.public_key(), is_authority=True)

    def pair(self, name: str) -> tuple[bytes, bytes]:
        """A certificate of that name for this machine, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate, _ = self._signed(subject, key.public_key(), is_authority=False)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return certificate, secret

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, is_authority: bool
    ) -> tuple[bytes, x509.Certificate]:
        now = datetime.datetime.now(datetime.UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("server")]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return built.public_bytes(serialization.Encoding.PEM), built


async def test_new_certificates_are_used_by_a_new_connection(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    authority, came = Authority(), set[str]()
    certificate, secret = authority.pair("server")
    files = {name: tmp_path / f"{name}.pem" for name in ("certificate", "key", "authority")}
    files["authority"].write_bytes(authority.certificate)
    for name, content in zip(("certificate", "key"), authority.pair("one"), strict=True):
        files[name].write_bytes(content)

    async def note(call: Call) -> bytes:
        came.add(call.peer_name)
        return await call.forward()

    of_server = grpc.ssl_server_credentials(
        [(secret, certificate)], root_certificates=authority.certificate, require_client_auth=True
    )
    async with GrpcProxy(client.service_client.config.target_host, note, of_server) as proxy:
        monkeypatch.setenv("TEMPORAL_ADDRESS", proxy.address)
        monkeypatch.setenv("TEMPORAL_TLS_SERVER_NAME", "server")
        monkeypatch.setenv("TEMPORAL_TLS_SERVER_CA_CERT_PATH", str(files["authority"]))
        monkeypatch.setenv("TEMPORAL_TLS_CLIENT_CERT_PATH", str(files["certificate"]))
        monkeypatch.setenv("TEMPORAL_TLS_CLIENT_KEY_PATH", str(files["key"]))
        async with served() as durable:
            assert (await durable.run("hi")).answer == "echo"
            assert came == {"one"}

            new_certificate, new_key = authority.pair("two")
            with caplog.at_level(logging.WARNING):
                # The key is not there yet: the two do not fit together.
                replace(files["certificate"], new_certificate)
                await until(lambda: "so the old ones stay" in caplog.text, "a warning")
            assert (await durable.run("hi")).answer == "echo"
            replace(files["key"], new_key)

            await until(lambda: "two" in came, "a call with the new certificate")
            results = await asyncio.gather(*(durable.run("hi") for _ in range(5)))
            assert {result.answer for result in results} == {"echo"}
