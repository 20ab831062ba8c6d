"""Workers and commands read their keys in one place."""

import pytest

from spine_temporal.connection.settings import connect_options
from spine_temporal.encryption import EncryptionCodec, new_key
from spine_temporal.errors import BadInput

KEY = new_key("k")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEYS", "KEY_FILE", "ACCEPT_PLAINTEXT"):
        monkeypatch.delenv(f"SPINE_TEMPORAL_{name}", raising=False)


def codec_of(**arguments: str) -> EncryptionCodec:
    codec = connect_options(**arguments)["data_converter"].payload_codec
    assert isinstance(codec, EncryptionCodec)
    return codec


def test_without_keys_nothing_is_encrypted() -> None:
    assert "data_converter" not in connect_options()


def test_keys_are_for_the_namespace_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPINE_TEMPORAL_KEYS", KEY)

    assert codec_of().namespace == "default"
    assert codec_of(namespace="mine").namespace == "mine"
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "theirs")
    assert codec_of().namespace == "theirs"


@pytest.mark.parametrize(
    ("written", "accepted"), [("", False), ("0", False), ("no", False), ("1", True), ("TRUE", True)]
)
def test_plaintext_is_accepted_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, written: str, *, accepted: bool
) -> None:
    monkeypatch.setenv("SPINE_TEMPORAL_KEYS", KEY)
    monkeypatch.setenv("SPINE_TEMPORAL_ACCEPT_PLAINTEXT", written)

    assert codec_of().accepts_plaintext is accepted


def test_a_setting_that_is_neither_yes_nor_no_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPINE_TEMPORAL_KEYS", KEY)
    monkeypatch.setenv("SPINE_TEMPORAL_ACCEPT_PLAINTEXT", "perhaps")

    with pytest.raises(BadInput, match="it is 1 or 0"):
        connect_options()
