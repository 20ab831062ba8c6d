"""Keys of models stay with the worker: whatever happens to a run, no history holds one."""

import base64
import logging
import math

import pytest
from spine_core import StopReason
from temporalio.api.history.v1 import History
from temporalio.client import Client, WorkflowHistory

from spine_temporal import DurableAgent
from tests.features.providers.hiring import TWICE, Agency, Vendor
from tests.support.harness import ONLY_NORMAL, Durable, histories_of
from tests.support.services.troubles import broken, busy, garbled

pytestmark = pytest.mark.durable


def forms_of(secret: str) -> list[bytes]:
    """The secret as it is, then in base64 wherever in a longer text it stands."""
    raw = secret.encode()
    # The first and the last characters also depend on what stands before it and behind it.
    shifted = [base64.b64encode(b"\0" * shift + raw)[math.ceil(shift * 8 / 6) : -4] for shift in range(3)]
    return [raw, *shifted, *(form.translate(bytes.maketrans(b"+/", b"-_")) for form in shifted)]


def leaks(histories: list[WorkflowHistory], secret: str) -> list[bytes]:
    written = b"".join(History(events=history.events).SerializeToString() for history in histories)
    return [form for form in forms_of(secret) if form in written]


@pytest.mark.parametrize("before", ["", "x", "xy", "a longer text "])
def test_search_for_a_secret_finds_it_in_base64_too(before: str) -> None:
    hidden = base64.b64encode(f"{before}key-1234567890 and more".encode())

    assert any(form in hidden for form in forms_of("key-1234567890"))


@ONLY_NORMAL
async def test_history_of_a_run_with_troubles_holds_what_was_said_but_not_the_key(
    durable: Durable, vendor: Vendor, agency: Agency
) -> None:
    served = durable(agency.impatient(), step_policy=TWICE)
    vendor.api.trouble(busy("0.01"))
    await served.run("add 1 2 then add 3 4")
    vendor.api.trouble(broken, broken)
    await served.run("the servers break")
    vendor.api.trouble(garbled)
    await served.run("the answer breaks")

    histories = [history for run in served.runs for history in await histories_of(durable.client, run)]
    assert [asked.key for asked in vendor.api.asked] == [vendor.api.key] * len(vendor.api.asked)
    assert leaks(histories, "It makes 3 and 7.") != []
    assert leaks(histories, "Something broke on our side.") != []
    assert leaks(histories, vendor.api.key) == []


@ONLY_NORMAL
async def test_refused_key_ends_the_run_at_once_and_is_not_told(
    durable: Durable, vendor: Vendor, agency: Agency, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = "sk-of-somebody-else-1234"
    served = durable(agency.knowing(wrong), step_policy=TWICE)

    with caplog.at_level(logging.DEBUG):
        result = await served.run("hello")

    assert [asked.key for asked in vendor.api.asked] == [wrong]
    assert result.stopped_reason is StopReason.ERROR
    assert "Incorrect API key provided: ****1234." in str(result.error)
    assert wrong not in result.model_dump_json() + caplog.text
    assert leaks(await histories_of(durable.client, served.runs[0]), wrong) == []


@ONLY_NORMAL
async def test_caller_needs_neither_the_key_nor_the_sdk_but_the_agents_name(
    durable: Durable, vendor: Vendor, agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = durable(agency.knowing(vendor.api.key))
    monkeypatch.delenv(vendor.key_variable)
    await served.up()
    elsewhere = await Client.connect(durable.client.service_client.config.target_host)

    result = await DurableAgent("agent", elsewhere, task_queue=served.task_queue).run("add 1 2")

    assert result.answer == "It makes 3."
    assert vendor.api.key not in result.model_dump_json()
