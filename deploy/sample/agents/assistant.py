"""An agent that answers questions about Python's standard library; works without an API key."""

from spine_core import Agent, Guards
from tools import grep, list_files, read_file

agent = Agent(
    "offline:planner",
    tools=[list_files, grep, read_file],
    guards=Guards(max_steps=24),
    system="Answer questions about the source code that your tools can read. Give evidence as path:line.",
    name="assistant",
)
