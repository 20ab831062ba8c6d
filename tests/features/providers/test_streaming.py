"""Streams of the adapters: what they tell in pieces is what `complete` tells at once."""

import pytest
from spine_core import Message

from spine_temporal.activities.failures import Transient, classify
from tests.features.providers.hiring import Agency, Vendor, streamed
from tests.support.agents_at_hand import add
from tests.support.services.troubles import busy, cut_off


@pytest.mark.parametrize("words", ["Is anybody there?", "add 1 2 and add 3 4"], ids=["words", "tool calls"])
async def test_stream_ends_with_the_response_that_complete_gives(agency: Agency, words: str) -> None:
    adapter = agency.adapter()
    request = ([Message.system("You add numbers."), Message.user(words)], [add.schema])

    pieces, response = await streamed(adapter, *request)

    whole = await adapter.complete(*request)
    assert response is not None
    assert response.model_dump(exclude={"raw"}) == whole.model_dump(exclude={"raw"})
    assert "".join(pieces) == (whole.message.content or "")


async def test_stream_tells_the_text_word_by_word(agency: Agency) -> None:
    pieces, _ = await streamed(agency.adapter(), [Message.user("one two")])

    assert pieces == ["You ", "said: ", "one ", "two"]


async def test_stream_that_breaks_off_is_a_failure_that_passes(vendor: Vendor, agency: Agency) -> None:
    vendor.api.trouble(cut_off)

    with pytest.raises(Exception) as raised:
        await streamed(agency.adapter(), [Message.user("a story that is long enough to be cut in two")])

    assert classify(raised.value, now_s=0.0) == Transient(None)


async def test_stream_that_may_not_begin_yet_says_when(vendor: Vendor, agency: Agency) -> None:
    vendor.api.trouble(busy("7"))

    with pytest.raises(Exception) as raised:
        await streamed(agency.adapter(sdk_retries=0), [Message.user("hello")])

    assert classify(raised.value, now_s=0.0) == Transient(7.0)
