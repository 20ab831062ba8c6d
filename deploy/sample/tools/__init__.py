"""What the sample agent can do: read the source of Python's standard library."""

import os
import sysconfig
from pathlib import Path

from spine_temporal import durable
from spine_temporal.demo.folder import Folder
from spine_temporal.demo.tools import reading_tools

list_files, grep, read_file = reading_tools(Folder(Path(sysconfig.get_path("stdlib"))))

# Where there are workers for tools alone, the tools run there; else where the agent does.
for each in (list_files, grep, read_file):
    durable(task_queue=os.environ.get("SAMPLE_TOOLS_TASK_QUEUE") or None)(each)
