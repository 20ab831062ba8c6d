"""Troubles with a model's API, as they come through the real SDKs."""

from typing import Any

import pytest
from spine_core import Result, StopReason
from temporalio.client import Client

from spine_temporal import ActivityPolicy
from tests.features.providers.hiring import ONLY_IF_TOLD, TWICE, Agency, Vendor
from tests.support.harness import ONLY_NORMAL, Durable, assert_same
from tests.support.services.troubles import (
    Trouble,
    broken,
    busy,
    cut_off,
    garbled,
    too_long,
    web_page,
    without_quota,
)
from tests.support.waiting import until

pytestmark = [pytest.mark.durable, ONLY_NORMAL]

SUM = "add 1 2"


def tries(vendor: Vendor) -> list[str]:
    """Of each request, how often the SDK by itself had tried it before."""
    return [asked.headers["x-stainless-retry-count"] for asked in vendor.api.asked]


async def untroubled(agency: Agency) -> Result:
    return await agency.agent().run(SUM)


async def test_rate_limited_step_is_tried_again_when_the_provider_said(
    durable: Durable, vendor: Vendor, agency: Agency
) -> None:
    vendor.api.trouble(busy("0.05"))

    result = await durable(agency.impatient(), step_policy=ONLY_IF_TOLD).run(SUM)

    assert tries(vendor) == ["0", "0", "0"]
    assert_same(result, await untroubled(agency))


async def test_step_stays_with_temporal_for_as_long_as_the_provider_said(
    durable: Durable, client: Client, vendor: Vendor, agency: Agency
) -> None:
    half_an_hour_s = 1800
    vendor.api.trouble(busy(str(half_an_hour_s)))
    run = await durable(agency.impatient(), step_policy=TWICE).start(SUM)

    async def waits() -> bool:
        described = await client.get_workflow_handle(run.workflow_id).describe()
        steps: Any = described.raw_description.pending_activities
        return [step.current_retry_interval.ToSeconds() for step in steps] == [half_an_hour_s]

    await until(waits, "a pause of half an hour")
    await run.cancel()
    assert (await run.result()).stopped_reason is StopReason.CANCELLED
    assert tries(vendor) == ["0"]


async def test_the_sdk_as_it_comes_leaves_trying_again_to_temporal(
    durable: Durable, vendor: Vendor, agency: Agency
) -> None:
    vendor.api.trouble(busy("0.01"))

    result = await durable(agency.agent(), step_policy=ONLY_IF_TOLD).run(SUM)

    assert tries(vendor) == ["0", "0", "0"]
    assert_same(result, await untroubled(agency))


async def test_where_temporal_tries_once_the_sdk_tries_again(durable: Durable, vendor: Vendor, agency: Agency) -> None:
    vendor.api.trouble(busy("0.01"))

    result = await durable(agency.agent(), step_policy=ActivityPolicy(attempts=1)).run(SUM)

    assert tries(vendor) == ["0", "1", "0"]
    assert_same(result, await untroubled(agency))


@pytest.mark.parametrize(
    ("trouble", "said"), [(without_quota, "exceeded your current quota"), (too_long, "prompt is too long")]
)
async def test_what_does_not_pass_ends_the_run_at_once_with_the_reason(
    durable: Durable, vendor: Vendor, agency: Agency, trouble: Trouble, said: str
) -> None:
    vendor.api.trouble(*[trouble] * 2)

    result = await durable(agency.impatient(), step_policy=ONLY_IF_TOLD).run(SUM)

    assert tries(vendor) == ["0"]
    assert result.stopped_reason is StopReason.ERROR
    assert said in str(result.error)
    assert_same(result, await agency.impatient().run(SUM))


@pytest.mark.parametrize("trouble", [broken, cut_off], ids=["500", "lost connection"])
async def test_failure_that_passes_leaves_no_trace_in_the_result(
    durable: Durable, vendor: Vendor, agency: Agency, trouble: Trouble
) -> None:
    vendor.api.trouble(trouble)

    result = await durable(agency.impatient(), step_policy=TWICE).run(SUM)

    assert tries(vendor) == ["0", "0", "0"]
    assert_same(result, await untroubled(agency))


async def test_failure_that_stays_ends_the_run_as_on_the_kernel(
    durable: Durable, vendor: Vendor, agency: Agency
) -> None:
    vendor.api.trouble(*[broken] * (TWICE.attempts + 1))

    result = await durable(agency.impatient(), step_policy=TWICE).run(SUM)

    assert tries(vendor) == ["0"] * TWICE.attempts
    assert_same(result, await agency.impatient().run(SUM))
    assert result.stopped_reason is StopReason.ERROR
    assert "Error code: 500" in str(result.error)


async def test_answer_that_is_no_whole_json_ends_the_run_at_once_as_on_the_kernel(
    durable: Durable, vendor: Vendor, agency: Agency
) -> None:
    vendor.api.trouble(garbled, garbled)

    result = await durable(agency.agent(), step_policy=TWICE).run(SUM)

    assert tries(vendor) == ["0"]
    assert_same(result, await agency.agent().run(SUM))
    assert result.stopped_reason is StopReason.ERROR
    assert "line 1 column" in str(result.error)


async def test_web_page_in_place_of_an_answer_is_an_empty_one_as_on_the_kernel(
    durable: Durable, vendor: Vendor, agency: Agency
) -> None:
    vendor.api.trouble(web_page, web_page)

    result = await durable(agency.agent(), step_policy=TWICE).run(SUM)

    assert_same(result, await agency.agent().run(SUM))
    assert (result.stopped_reason, result.answer, result.usage.total_tokens) == (StopReason.FINAL, None, 0)
