"""MCP servers as tools of agents."""
