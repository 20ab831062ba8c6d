"""Which version of which deployment a worker is, by Temporal's two variables."""

import pytest

from spine_temporal.connection.settings import BUILD_ID, DEPLOYMENT_NAME, deployment_version
from spine_temporal.errors import BadInput


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (BUILD_ID, DEPLOYMENT_NAME):
        monkeypatch.delenv(name, raising=False)


def test_names_are_those_that_temporals_worker_controller_sets() -> None:
    assert (DEPLOYMENT_NAME, BUILD_ID) == ("TEMPORAL_DEPLOYMENT_NAME", "TEMPORAL_WORKER_BUILD_ID")


def test_without_them_a_worker_is_not_versioned() -> None:
    assert deployment_version() is None


def test_both_make_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEPLOYMENT_NAME, "shop/agents")
    monkeypatch.setenv(BUILD_ID, "1.2.3-5f8a")

    version = deployment_version()

    assert version is not None
    assert (version.deployment_name, version.build_id) == ("shop/agents", "1.2.3-5f8a")


@pytest.mark.parametrize(("there", "lacking"), [(DEPLOYMENT_NAME, BUILD_ID), (BUILD_ID, DEPLOYMENT_NAME)])
def test_one_without_the_other_is_an_error_that_names_both(
    monkeypatch: pytest.MonkeyPatch, there: str, lacking: str
) -> None:
    monkeypatch.setenv(there, "v1")
    monkeypatch.setenv(lacking, " ")

    with pytest.raises(BadInput, match=f"{there} is set without {lacking}"):
        deployment_version()


@pytest.mark.parametrize("name", ["shop.agents", "shop:agents", "__shop"])
def test_a_name_that_no_server_takes_is_refused_before_a_worker_polls_in_vain(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(DEPLOYMENT_NAME, name)
    monkeypatch.setenv(BUILD_ID, "v1")

    with pytest.raises(BadInput, match="a deployment's name has no"):
        deployment_version()
