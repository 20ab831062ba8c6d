"""Agents on spine's own adapters, whose SDKs talk to a server of ours."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from starlette.applications import Starlette

from tests.features.providers.hiring import VENDORS, Agency, Vendor
from tests.support.services.web import serving


@pytest.fixture(scope="module")
def model_server() -> Iterator[str]:
    with serving(Starlette(routes=[vendor.api.route for vendor in VENDORS])) as url:
        yield url


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.name)
def vendor(request: pytest.FixtureRequest, model_server: str, monkeypatch: pytest.MonkeyPatch) -> Vendor:
    """An API that was never asked; this process has its key and its address, where the SDK looks for them."""
    vendor = request.param
    assert isinstance(vendor, Vendor)
    vendor.api.forget()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in vendor.other_variables:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(vendor.key_variable, vendor.api.key)
    monkeypatch.setenv(vendor.url_variable, model_server + vendor.api.dialect.base)
    return vendor


@pytest_asyncio.fixture
async def agency(vendor: Vendor) -> AsyncIterator[Agency]:
    """Agents of that vendor. At the end of the test their connections are closed."""
    agency = Agency(vendor)
    yield agency
    await agency.close()
