"""A real Temporal server for tests."""

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client, Plugin
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter

from spine_temporal.devserver.server import DevServer


class TestServer:
    """A running dev server and a client of it; the client goes on working across `kill` and `restart`."""

    __test__ = False  # the name makes pytest take it for a test case

    def __init__(self, process: DevServer, client: Client) -> None:
        self.process = process
        self.client = client

    @property
    def address(self) -> str:
        """Where clients and workers connect; the same after a restart."""
        return self.process.address

    @property
    def ui_address(self) -> str | None:
        """The URL of the web UI, or None without one."""
        return self.process.ui_address

    async def kill(self) -> None:
        """End the server as a crash would; on return it is gone."""
        await self.process.kill()

    async def restart(self) -> None:
        """Start it again on the same file and port; on return it serves, and the client has found it again."""
        await self.process.restart()
        await self.client.service_client.check_health(retry=True, timeout=timedelta(seconds=10))


@asynccontextmanager
async def dev_server(
    *,
    database: Path | None = None,
    ui: bool = False,
    port: int | None = None,
    ui_port: int | None = None,
    namespace: str = "default",
    search_attributes: Mapping[str, str] | None = None,
    spine_attributes: bool = True,
    dynamic_config: Mapping[str, object] | None = None,
    data_converter: DataConverter = pydantic_data_converter,
    plugins: Sequence[Plugin] = (),
    start_timeout_s: float = 30.0,
) -> AsyncIterator[TestServer]:
    """A Temporal server of this test's own, with a connected client.

    It keeps its data in `database`, else in a temporary folder that is removed at exit. The other arguments are those
    of `DevServer` and of `Client.connect`.
    """
    with tempfile.TemporaryDirectory(prefix="spine-temporal-", ignore_cleanup_errors=True) as folder:
        process = DevServer(
            database or Path(folder, "temporal.db"),
            port=port,
            ui=ui,
            ui_port=ui_port,
            namespace=namespace,
            search_attributes=search_attributes,
            spine_attributes=spine_attributes,
            dynamic_config=dynamic_config,
            start_timeout_s=start_timeout_s,
        )
        async with process:
            try:
                client = await Client.connect(
                    process.address, namespace=namespace, data_converter=data_converter, plugins=plugins
                )
                yield TestServer(process, client)
            finally:
                if database is None:
                    await process.kill()  # an orderly end takes more than a second, for data that goes away
