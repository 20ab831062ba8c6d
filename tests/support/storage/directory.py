"""External storage in a directory."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)


class DirectoryDriver(StorageDriver):
    """Keeps each payload in a file named by its digest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.away = False
        """Nobody can read or write there for now."""

    def name(self) -> str:
        return "directory"

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        self._check()
        return [self._store(payload.SerializeToString()) for payload in payloads]

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        self._check()
        return [Payload.FromString((self.folder / claim.claim_data["file"]).read_bytes()) for claim in claims]

    def _store(self, data: bytes) -> StorageDriverClaim:
        name = hashlib.sha256(data).hexdigest()
        (self.folder / name).write_bytes(data)
        return StorageDriverClaim(claim_data={"file": name})

    def _check(self) -> None:
        if self.away:
            raise OSError("the disk is away")
