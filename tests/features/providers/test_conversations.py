"""Conversations with tools through the adapters: durable ones are the kernel's, to the byte that is sent."""

import pytest
from spine_core import StopReason

from spine_temporal.contracts import names
from tests.features.providers.hiring import OPENAI, TWICE, Agency, Vendor
from tests.support.harness import ONLY_NORMAL, Durable, activities_in, assert_same, history_of

pytestmark = pytest.mark.durable

SUMS = "add 1 2 and add 3 4 then add 5 6"
STEP, TOOL = names.STEP_ACTIVITY, names.TOOL_ACTIVITY


async def test_tool_conversation_gives_the_kernels_result_and_asks_the_api_the_same(
    durable: Durable, vendor: Vendor, agency: Agency
) -> None:
    served = durable(agency.agent())

    result = await served.run(SUMS)

    durably = [asked.body for asked in vendor.api.asked]
    vendor.api.forget()
    assert_same(result, await agency.agent().run(SUMS))
    assert [asked.body for asked in vendor.api.asked] == durably
    assert (result.answer, result.stopped_reason) == ("It makes 3 and 7 and 11.", StopReason.FINAL)
    history = await history_of(durable.client, served.runs[0])
    assert activities_in(history) == [STEP, TOOL, TOOL, STEP, TOOL, STEP]


@ONLY_NORMAL
async def test_api_hears_the_key_the_tools_and_the_system_prompt_with_each_step(
    durable: Durable, vendor: Vendor, agency: Agency
) -> None:
    await durable(agency.agent()).run("add 1 2")

    assert [asked.key for asked in vendor.api.asked] == [vendor.api.key] * 2
    assert [asked.tools for asked in vendor.api.asked] == [{"add": ["a", "b"]}] * 2
    assert [asked.body["model"] for asked in vendor.api.asked] == [vendor.model] * 2
    systems = [vendor.api.dialect.turns(asked.body)[0] for asked in vendor.api.asked]
    assert [(turn.role, turn.text) for turn in systems] == [("system", "You add numbers.")] * 2


@ONLY_NORMAL
async def test_usage_is_what_the_api_counted_with_its_price(durable: Durable, vendor: Vendor, agency: Agency) -> None:
    result = await durable(agency.agent()).run("add 1 2")

    # "You add numbers." + "add 1 2" + a tool; then also "3".
    assert result.usage.input_tokens == (3 + 3 + 1) + (3 + 3 + 1 + 1)
    # '{"a": 1, "b": 2}', then "It makes 3."
    assert result.usage.output_tokens == 4 + 3
    per_million = (0.15, 0.60) if vendor is OPENAI else (1.0, 5.0)
    assert result.usage.cost_usd == pytest.approx((15 * per_million[0] + 7 * per_million[1]) / 1e6)


@ONLY_NORMAL
@pytest.mark.parametrize("vendor", [OPENAI], ids=["openai"], indirect=True)
async def test_arguments_that_are_no_json_call_the_tool_with_none_and_the_model_is_told(
    durable: Durable, vendor: Vendor, agency: Agency
) -> None:
    result = await durable(agency.agent(), step_policy=TWICE).run("mumble add 1 2")

    assert_same(result, await agency.agent().run("mumble add 1 2"))
    assert result.state.messages[2].tool_calls[0].arguments == {}
    assert "invalid arguments for tool 'add'" in str(result.state.messages[3].content)
    assert result.stopped_reason is StopReason.FINAL
