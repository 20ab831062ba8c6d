"""Runs whose payloads are encrypted."""

from collections.abc import Callable

import pytest
from temporalio.client import Client
from temporalio.converter import DataConverter

from spine_temporal.encryption import KeyRing, encrypted, new_key

type Connect = Callable[[DataConverter], Client]


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.parse(new_key("first"), "the test")


@pytest.fixture
def connected(client: Client) -> Connect:
    """The suite's client, with another data converter."""

    def with_converter(converter: DataConverter) -> Client:
        config = client.config()
        config["data_converter"] = converter
        return Client(**config)

    return with_converter


@pytest.fixture
def sealed(client: Client, connected: Connect, ring: KeyRing) -> Client:
    return connected(encrypted(ring, client.namespace))
