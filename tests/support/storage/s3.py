"""A real S3 API on this machine."""

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import aioboto3
from moto.server import ThreadedMotoServer
from temporalio.contrib.aws.s3driver import S3StorageDriver
from temporalio.contrib.aws.s3driver.aioboto3 import new_aioboto3_client


@contextmanager
def s3_server() -> Iterator[str]:
    """An empty S3; the body is given its URL."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@asynccontextmanager
async def s3_driver(url: str) -> AsyncIterator[S3StorageDriver]:
    """The SDK's driver for it, with a bucket of its own."""
    # Its buckets are the process's, whichever server they were made on.
    bucket = f"payloads-{uuid.uuid4().hex}"
    session = aioboto3.Session(aws_access_key_id="any", aws_secret_access_key="any", region_name="eu-central-1")
    async with session.client("s3", endpoint_url=url) as client:
        await client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield S3StorageDriver(client=new_aioboto3_client(client), bucket=bucket)
