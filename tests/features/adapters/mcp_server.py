"""A real MCP server: `python mcp_server.py stdio FOLDER` or `python mcp_server.py http FOLDER PORT`."""

import os
import sys
from pathlib import Path

import anyio
from mcp.server.fastmcp import FastMCP

transport, folder, *rest = sys.argv[1:]
server = FastMCP("otters", port=int(rest[0]) if rest else 0, log_level="ERROR")


@server.tool()
async def whoami() -> str:
    """Say which process serves."""
    return str(os.getpid())


@server.tool()
async def linger() -> str:
    """Take as long as a file is there."""
    (Path(folder) / "lingering").touch()
    while (Path(folder) / "linger").exists():
        await anyio.sleep(0.01)
    return "done"


if os.environ.get("OTHER_TOOLS"):
    server.remove_tool("linger")

    @server.tool()
    async def count(upto: int) -> str:
        """Count."""
        return " ".join(str(n) for n in range(1, upto + 1))


server.run(transport="stdio" if transport == "stdio" else "streamable-http")
