"""Backends of spine's on their real servers, each started when the first test asks for it."""

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from spine_backends import (
    BufferMemory,
    InMemoryVectorMemory,
    PgVectorMemory,
    PostgresCheckpoint,
    RedisCheckpoint,
    SQLiteCheckpoint,
)
from spine_core import CheckpointStore
from spine_core.memory import Memory

from tests.features.backends.connections import disconnect
from tests.support.services.bundled import pgvector_server
from tests.support.services.debian import postgres_server, redis_server
from tests.support.services.guarded import GuardedServer


@pytest.fixture(scope="session")
def redis() -> Iterator[GuardedServer]:
    with redis_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[GuardedServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "redis", "postgres"])
def backend(request: pytest.FixtureRequest) -> str:
    """The name of a checkpoint backend, as `spine.toml` has it."""
    return str(request.param)


@pytest.fixture
def server(backend: str, request: pytest.FixtureRequest) -> GuardedServer:
    """The server that the backend keeps its data on, at work when the test begins."""
    server = request.getfixturevalue(backend)
    assert isinstance(server, GuardedServer)
    server.start()
    return server


@pytest_asyncio.fixture
async def store(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[CheckpointStore]:
    """The backend. Its connections are of the event loop that it is first used in, so each test has its own."""
    store: CheckpointStore
    if backend == "sqlite":
        store = SQLiteCheckpoint(tmp_path / "spine.db")
    elif backend == "redis":
        store = RedisCheckpoint(request.getfixturevalue("server").url)
    else:
        store = PostgresCheckpoint(request.getfixturevalue("server").url)
    yield store
    await disconnect(store)


@pytest.fixture(params=["buffer", "vector", "pgvector"])
def memory(request: pytest.FixtureRequest) -> str:
    """The name of a memory, as `spine.toml` has it."""
    return str(request.param)


@pytest.fixture(scope="session")
def pgvector() -> Iterator[GuardedServer]:
    with pgvector_server() as server:
        server.start()
        yield server


@pytest.fixture
def dsn(memory: str, request: pytest.FixtureRequest) -> str:
    """Where the memory keeps its data, or nothing if that is its own process."""
    return str(request.getfixturevalue("pgvector").url) if memory == "pgvector" else ""


@pytest_asyncio.fixture
async def new_memory(memory: str, dsn: str) -> AsyncIterator[Callable[[], Memory]]:
    """Makes memories of that name, each of them empty."""
    made = list[Memory]()

    def make() -> Memory:
        match memory:
            case "buffer":
                made.append(BufferMemory())
            case "vector":
                made.append(InMemoryVectorMemory())
            case _:
                made.append(PgVectorMemory(dsn, table=f"memory_{uuid.uuid4().hex}"))
        return made[-1]

    yield make
    for each in made:
        await disconnect(each)
