"""What the sample agent can do: read the source of Python's standard library."""

import sysconfig
from pathlib import Path

from spine_temporal.demo.folder import Folder
from spine_temporal.demo.tools import reading_tools

list_files, grep, read_file = reading_tools(Folder(Path(sysconfig.get_path("stdlib"))))
