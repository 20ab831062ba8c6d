"""The clock stands still for spine's middleware that looks at it."""

import pytest
from spine_middleware import reliability

from tests.features.spine_middleware.scenes import WORLD


@pytest.fixture(autouse=True)
def _standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("time", "anyio"):
        monkeypatch.setattr(reliability, module, WORLD)
