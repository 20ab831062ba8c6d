"""The memory limit of spine's `Sandbox`, made one on what the tool takes.

The middleware forks the process and limits the address space of the copy. A worker's is larger than the default limit
before the tool begins: each of the SDK's threads reserves some for its stack and its heap.
"""

import sys
from pathlib import Path
from typing import Final

_MODULE: Final = "spine_middleware.sandbox"
_STATM: Final = Path("/proc/self/statm")
_MB: Final = 1024 * 1024


def limit_what_tools_take() -> None:
    """From now on `max_memory_mb` counts from the size that the forked process begins with.

    It has no effect before the middleware's module is imported, nor where the size cannot be read (macOS, which does
    not enforce the limit either).
    """
    module = sys.modules.get(_MODULE)
    if module is not None and _STATM.exists():
        module._set_limits = _set_limits  # type: ignore[attr-defined] # noqa: SLF001


def _set_limits(cpu_s: int, mem_mb: int) -> None:
    """In the forked process, as the middleware does it but for the size added."""
    # Not every platform has it; those that lack it never come here.
    import resource

    limits = {resource.RLIMIT_CPU: cpu_s}
    if mem_mb:
        size_pages = int(_STATM.read_text().split()[0])
        limits[resource.RLIMIT_AS] = size_pages * resource.getpagesize() + mem_mb * _MB
    for what, limit in limits.items():
        # A hard limit can be lowered only.
        hard = resource.getrlimit(what)[1]
        if limit and (hard == resource.RLIM_INFINITY or limit < hard):
            resource.setrlimit(what, (limit, limit))
