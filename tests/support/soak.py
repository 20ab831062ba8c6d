"""What the suite leaves to `make soak`, so that a commit waits for minutes, not for hours."""

import os
from typing import Any, Final

import pytest

IS_SOAK: Final = "SOAK" in os.environ

soak: Final = pytest.mark.soak


def in_soak(*values: Any) -> Any:
    """One parameter that only the soak has."""
    return pytest.param(*values, marks=soak)


def examples(most: int) -> int:
    """How many examples of hypothesis to try where the soak tries `most`."""
    return most if IS_SOAK else (most + 1) // 2
