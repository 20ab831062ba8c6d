"""What `doctor` finds of the keys that payloads are encrypted with."""

import sys

import pytest

from spine_temporal.cli.doctor_encryption import check_keys
from spine_temporal.cli.doctor_finding import Level
from spine_temporal.encryption import new_key


@pytest.fixture(autouse=True)
def _no_key_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPINE_TEMPORAL_KEY_FILE", raising=False)


def test_keys_without_the_package_that_encrypts_are_found_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPINE_TEMPORAL_KEYS", new_key("first"))
    assert check_keys() is None

    # As it is for Python when a package is not installed.
    monkeypatch.setitem(sys.modules, "cryptography", None)
    found = check_keys()

    assert found is not None
    assert (found.level, found.what) == (Level.FIX, "keys")
    assert found.text == "there are keys, and the package that encrypts is not installed"
    assert found.fix == "`pip install 'spine-temporal[encryption]'`"


def test_keys_that_cannot_be_used_are_found_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPINE_TEMPORAL_KEYS", "no key at all")

    found = check_keys()

    assert found is not None
    assert (found.level, found.what) == (Level.FIX, "keys")
    assert "no key at all" not in found.text


def test_no_keys_are_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPINE_TEMPORAL_KEYS", raising=False)
    monkeypatch.setitem(sys.modules, "cryptography", None)

    assert check_keys() is None
