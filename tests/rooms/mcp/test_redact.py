"""What is secret in how an MCP server is reached is shown nowhere."""

import logging

import pytest
from spine_mcp import MCPToolset

from spine_temporal.mcp.redact import ServerSecrets

SECRET = "hunter2-9c1f"
SERVERS = [
    (MCPToolset(url=f"https://me:{SECRET}@example.com/mcp"), "https://example.com/mcp"),
    (MCPToolset(url=f"https://example.com/mcp?otter={SECRET}"), "https://example.com/mcp?***"),
    (MCPToolset(command="/usr/bin/serve", args=["--api-key", SECRET, "--port", "80"]), "serve --api-key *** --port 80"),
    (MCPToolset(command="serve", args=[f"--token={SECRET}"]), "serve --token=***"),
    (MCPToolset(command="serve", args=["--header", f"Authorization: Bearer {SECRET}"]), None),
    (MCPToolset(command="serve", args=["stdio"], env={"OTTER": SECRET, "DEBUG": "true"}), "serve stdio"),
]


@pytest.mark.parametrize(("toolset", "where"), SERVERS, ids=[str(where) for _, where in SERVERS])
def test_a_server_is_named_without_its_secrets(toolset: MCPToolset, where: str | None) -> None:
    secrets = ServerSecrets.of(toolset)

    assert SECRET not in secrets.where
    assert secrets.where == where or where is None
    assert SECRET not in secrets.redact(f"{toolset.url} {toolset.args} {toolset.env}: no {SECRET}")


def test_a_switch_of_the_environment_is_no_secret() -> None:
    secrets = ServerSecrets.of(MCPToolset(command="serve", env={"DEBUG": "true", "HOME": "/var/lib/otters"}))

    assert secrets.redact("it is true of /var/lib/otters") == "it is true of /var/lib/otters"


def test_what_the_http_client_logs_has_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    url = f"https://example.com/mcp?otter={SECRET}"
    ServerSecrets.of(MCPToolset(url=url))

    with caplog.at_level(logging.INFO, "httpx"):
        logging.getLogger("httpx").info('HTTP Request: %s %s "%s"', "POST", url, "HTTP/1.1 200 OK")

    assert caplog.messages == ['HTTP Request: POST https://example.com/mcp?otter=*** "HTTP/1.1 200 OK"']
