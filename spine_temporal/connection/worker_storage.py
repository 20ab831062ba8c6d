"""A worker's external storage: while it does not work, what needs it waits."""

import dataclasses
from collections.abc import Callable, Sequence

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ExternalStorage,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverSelectContext,
    StorageDriverStoreContext,
)


class GuardedDriver(StorageDriver):
    """The user's driver; what it raises goes through `guard`, which makes the work wait."""

    def __init__(self, driver: StorageDriver, guard: "Guard") -> None:
        self.driver, self.guard = driver, guard

    def name(self) -> str:
        """As the user's driver is called: stored payloads name it."""
        return self.driver.name()

    def type(self) -> str:
        """Of the user's driver."""
        return self.driver.type()

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        """Store by the user's driver."""
        try:
            return await self.driver.store(context, payloads)
        except Exception as error:  # a driver may raise anything
            raise self.guard(error, "stored") from error

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """Retrieve by the user's driver."""
        try:
            return await self.driver.retrieve(context, claims)
        except Exception as error:
            raise self.guard(error, "retrieved") from error


type Guard = Callable[[Exception, str], Exception]
"""Makes of what a driver raised, and of what could not be done, the error that postpones the work."""


def guarded(storage: ExternalStorage | None, guard: Guard) -> ExternalStorage | None:
    """`storage`, with each of its drivers guarded; None: there is none."""
    if storage is None:
        return None
    drivers = {id(driver): GuardedDriver(driver, guard) for driver in storage.drivers}
    select = storage.driver_selector

    def selected(context: StorageDriverSelectContext, payload: Payload) -> StorageDriver | None:
        chosen = select(context, payload) if select is not None else None
        return drivers.get(id(chosen)) if chosen is not None else None

    return dataclasses.replace(
        storage, drivers=list(drivers.values()), driver_selector=selected if select is not None else None
    )
