"""Each activity that the workflow calls by name is registered once, under that name."""

from temporalio import activity
from temporalio.common import RawValue
from temporalio.worker import WorkerConfig

from spine_temporal import SpinePlugin
from spine_temporal.contracts import names

DECLARED = {value for name, value in vars(names).items() if name.endswith("_ACTIVITY")}


def registered(plugin: SpinePlugin) -> list[str]:
    """The names of the activities that the plugin brings to a worker."""
    config = plugin.configure_worker(WorkerConfig())
    found = [activity._Definition.from_callable(each) for each in config["activities"]]
    return [str(each.name) for each in found if each is not None]


def test_each_declared_activity_is_registered_once() -> None:
    assert sorted(registered(SpinePlugin([]))) == sorted(DECLARED)


def test_activities_of_the_user_stay() -> None:
    @activity.defn(name="payroll")
    async def payroll() -> None: ...

    config = SpinePlugin([]).configure_worker(WorkerConfig(activities=[payroll]))

    assert payroll in config["activities"]
    assert len(config["activities"]) == len(DECLARED) + 1


def test_activities_take_and_give_raw_payloads() -> None:
    for each in SpinePlugin([]).activities_of_agents.all:
        definition = activity._Definition.must_from_callable(each)
        assert (definition.arg_types, definition.ret_type) == ([RawValue], RawValue)
