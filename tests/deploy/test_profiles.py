"""The examples of Temporal's profile file are what Temporal's own reader takes, and hold no secret."""

import tomllib
from pathlib import Path
from typing import Final

import pytest
from temporalio.envconfig import ClientConfigProfile

FOLDER: Final = Path(__file__).parents[2] / "deploy" / "temporal"
EXAMPLES: Final = {"dev.toml": "dev", "mtls.toml": "mtls", "api-key.toml": "cloud"}


def loaded(file: str, variables: dict[str, str] | None = None) -> ClientConfigProfile:
    """As a process reads it whose environment has these variables."""
    return ClientConfigProfile.load(
        profile=EXAMPLES[file],
        config_source=FOLDER / file,
        config_file_strict=True,
        override_env_vars=variables or {},
    )


def test_each_example_is_tested() -> None:
    assert {file.name for file in FOLDER.iterdir()} == EXAMPLES.keys()


@pytest.mark.parametrize("file", EXAMPLES)
def test_example_has_the_profile_that_its_first_lines_name(file: str) -> None:
    text = (FOLDER / file).read_text()

    assert list(tomllib.loads(text)["profile"]) == [EXAMPLES[file]]
    assert f"TEMPORAL_CONFIG_FILE=deploy/temporal/{file} TEMPORAL_PROFILE={EXAMPLES[file]}" in text


def test_dev_connects_without_tls() -> None:
    assert loaded("dev.toml").to_client_connect_config() == {"target_host": "localhost:7233", "namespace": "default"}


def test_mtls_has_certificate_key_and_authority_from_files() -> None:
    profile = loaded("mtls.toml")

    assert profile.tls is not None
    assert profile.tls.to_dict() == {
        "client_cert": {"path": "/etc/temporal/tls/tls.crt"},
        "client_key": {"path": "/etc/temporal/tls/tls.key"},
        "server_ca_cert": {"path": "/etc/temporal/tls/ca.crt"},
    }


def test_api_key_comes_from_the_environment_and_brings_tls() -> None:
    options = loaded("api-key.toml", {"TEMPORAL_API_KEY": "secret"}).to_client_connect_config()

    assert (options["api_key"], options["target_host"]) == ("secret", "us-east-1.aws.api.temporal.io:7233")
    assert options["tls"]
    assert loaded("api-key.toml").api_key is None
