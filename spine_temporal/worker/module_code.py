"""The code of the modules that the sandbox executes anew for every run, read once."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from threading import Lock
from types import CodeType, ModuleType
from typing import Final

_PACKAGE: Final = "spine_temporal.workflow"


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str) -> None:
        super().__init__(fullname, path)
        self._code: CodeType | None = None

    def get_code(self, fullname: str) -> CodeType | None:
        if self._code is None:
            self._code = super().get_code(fullname)
        return self._code


class _Finder(MetaPathFinder):
    """Finds the workflow's own modules where any import would; each once."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, _Loader, list[str] | None]] = {}
        self._lock = Lock()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _PACKAGE and not fullname.startswith(f"{_PACKAGE}."):
            return None
        with self._lock:
            found = self._found.get(fullname)
            if found is None:
                spec = PathFinder.find_spec(fullname, path, target)
                if spec is None or spec.origin is None or type(spec.loader) is not SourceFileLoader:
                    # From an archive, say: whoever is asked next knows how.
                    return None
                found = spec.origin, _Loader(fullname, spec.origin), spec.submodule_search_locations
                self._found[fullname] = found
        origin, loader, locations = found
        return spec_from_file_location(fullname, origin, loader=loader, submodule_search_locations=locations)


def keep_code() -> None:
    """Have this process read the workflow's own modules once, however often they are executed; measured: half the time.

    A file that changes meanwhile is not read again, as is so for whatever Python has imported.
    """
    if not any(isinstance(each, _Finder) for each in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
