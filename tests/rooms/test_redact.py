"""Secrets are masked in every text in which somebody may write one; ordinary texts stay as they are."""

import pytest

from spine_temporal.redact import redact

WITH_A_SECRET = [
    ("https://me:hunter2@example.com/v1", "https://***@example.com/v1"),
    ("get https://example.com/v1?key=AbC123&model=x", "get https://example.com/v1?key=***&model=x"),
    (
        "401 for url 'https://example.com/mcp?api_key=AbC123'",
        "401 for url 'https://example.com/mcp?api_key=***'",
    ),
    ("https://example.com/?a=1&X-Amz-Signature=abcdef", "https://example.com/?a=1&X-Amz-Signature=***"),
    ("serve --api-key hunter2 --port 80", "serve --api-key *** --port 80"),
    ("serve --token=hunter2", "serve --token=***"),
    ("['serve', '--api-key', 'hunter2']", "['serve', '--api-key', '***']"),
    ("{'Authorization': 'Bearer hunter2hunter2'}", "{'Authorization': '***'}"),
    ("authorization: Bearer hunter2hunter2", "authorization: Bearer ***"),
    ('{"x-api-key": "hunter2"}', '{"x-api-key": "***"}'),
    ("DB_PASSWORD=hunter2 psql", "DB_PASSWORD=*** psql"),
    ("Incorrect API key provided: sk-proj-abcdef123456.", "Incorrect API key provided: ***."),
]
ORDINARY = [
    "no such key: name",
    "unexpected token: }",
    "KeyError: 'otter'",
    "https://example.com/search?q=otters&page=2",
    "pay() got an unexpected keyword argument 'amuont'",
    "connection to 10.0.0.1:5432 refused",
    "the task-force-skiing trip",
    "rm -rf --no-preserve-root /",
]


@pytest.mark.parametrize(("text", "masked"), WITH_A_SECRET, ids=[text for text, _ in WITH_A_SECRET])
def test_a_secret_is_masked_and_what_is_around_it_stays(text: str, masked: str) -> None:
    assert redact(text) == masked
    assert redact(masked) == masked


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text
