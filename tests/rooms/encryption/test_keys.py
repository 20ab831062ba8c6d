"""Keys are read as they are written, and never shown."""

import logging
from pathlib import Path

import pytest

from spine_temporal.encryption import KeyFile, KeyRing, KeyVariable, new_key
from spine_temporal.errors import BadInput

FIRST, SECOND = new_key("first"), new_key("second")


def test_first_key_writes_and_all_read() -> None:
    ring = KeyRing.parse(f"# keys\n{FIRST}  # since May\n\n{SECOND}\n", "here")

    assert ring.writing == "first"
    assert [*ring.keys] == ["first", "second"]
    assert KeyRing.parse(f"{FIRST}, {SECOND}", "here") == ring


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "here holds no key"),
        ("# nothing", "here holds no key"),
        ("first", "line 1: key 'first' is not 32 bytes"),
        (FIRST[:-9], "line 1: key 'first' is not 32 bytes in base64"),
        (FIRST[:-1], "line 1: key 'first' is not 32 bytes in base64"),
        (f"{FIRST}\n{FIRST}", "line 2: key 'first' is there twice"),
        (f"{FIRST} {SECOND}", "line 1: key 'first' is not 32 bytes"),
        (FIRST.replace("first", "f irst"), "line 1: a key is written id:base64"),
    ],
    ids=["nothing", "a comment", "a name", "cut", "cut by one", "twice", "two in a line", "a blank in the name"],
)
def test_what_is_no_key_is_refused_without_being_quoted(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as raised:
        KeyRing.parse(text, "here")

    assert FIRST.partition(":")[2][:12] not in str(raised.value)


def test_no_text_of_a_ring_holds_a_key() -> None:
    ring = KeyRing.parse(FIRST, "here")

    assert repr(ring) == str(ring) == "KeyRing(writing='first')"


def test_new_keys_differ_and_are_named_by_the_day() -> None:
    one, other = new_key(), new_key()

    assert one != other
    assert len(KeyRing.parse(f"{one}\n{other}", "here").keys) == 2
    with pytest.raises(BadInput, match="no id of a key"):
        new_key("a key")


def test_changed_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(FIRST)
    file = KeyFile(path)
    assert file.ring().writing == "first"

    path.write_text(f"{SECOND}\n{FIRST}")

    assert file.ring().writing == "second"


@pytest.mark.parametrize("cut", [-1, -20, len(FIRST) + 3], ids=["a character", "more", "most of the second key"])
def test_half_written_file_leaves_the_keys_in_use_and_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, cut: int
) -> None:
    path = tmp_path / "keys"
    path.write_text(FIRST)
    file = KeyFile(path)
    file.ring()

    path.write_text(f"{FIRST}\n{SECOND}"[:cut])
    for _ in range(3):
        assert file.ring().writing == "first"
    path.write_text(f"{SECOND}\n{FIRST}")

    assert file.ring().writing == "second"
    assert caplog.text.count("stay in use") == 1


def test_file_that_is_gone_leaves_the_keys_in_use(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "keys"
    path.write_text(FIRST)
    file = KeyFile(path)
    file.ring()

    path.unlink()

    assert file.ring(anew=True).writing == "first"
    assert "stay in use" in caplog.text


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b""], ids=["no file", "no text", "empty"])
def test_file_that_never_held_keys_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "keys"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(BadInput, match="key file"):
        KeyFile(path).ring()


def test_keys_come_from_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    source = KeyVariable("MY_KEYS")
    with pytest.raises(BadInput, match="variable MY_KEYS holds no key"):
        source.ring()

    monkeypatch.setenv("MY_KEYS", f"{FIRST},{SECOND}")

    assert source.ring().writing == "first"


def test_change_is_logged_without_the_keys(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "keys"
    path.write_text(FIRST)
    file = KeyFile(path)
    file.ring()

    with caplog.at_level(logging.DEBUG):
        path.write_text(f"{SECOND}\n{FIRST}")
        file.ring()

    assert "key 'second' writes, 2 can read" in caplog.text
    assert SECOND.partition(":")[2] not in caplog.text
