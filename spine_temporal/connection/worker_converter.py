"""A worker's data converter: a codec that does not work makes work wait, and fails none."""

import asyncio
import copy
import dataclasses
import functools
import weakref
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Self

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client
from temporalio.common import MetricMeter
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    DefaultFailureConverter,
    FailureConverter,
    PayloadCodec,
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
)
from temporalio.exceptions import ApplicationError

from spine_temporal.connection.codec_alarm import FIRST_PAUSE_S, LONGEST_PAUSE_S, Alarm
from spine_temporal.connection.meter import meter_of
from spine_temporal.connection.worker_storage import guarded
from spine_temporal.contracts import names
from spine_temporal.contracts.postponing import RetryLater
from spine_temporal.payloads import ENCRYPTED, check_decoded, is_plain, is_uncounted, undecoded

POSTPONED_ACTIVITIES: Final = frozenset(
    {
        names.STEP_ACTIVITY,
        names.TOOL_ACTIVITY,
        names.END_ACTIVITY,
        names.RESTORE_ACTIVITY,
        names.MIRROR_ACTIVITY,
        names.SUBAGENT_ACTIVITY,
    }
)

# Sentences of ours without a user's word in them; the codec may be the very reason for them.
_OPEN: Final = frozenset({names.CODEC_AWAY, names.WORKER_STOPPING})


class CodecAway(RetryLater):
    """This worker can decode, encode, store or retrieve no payload now: the work waits, for it or for another one."""

    def __init__(self, error: Exception) -> None:
        super().__init__(LONGEST_PAUSE_S, f"the payload codec, or the storage, of this worker does not work: {error}")


@dataclasses.dataclass(slots=True, eq=False)
class BeatDetails:
    """What an activity's heartbeats carry: a beat whose details cannot be encoded repeats the last ones."""

    encoded: Payload | None = None


_beating: ContextVar[BeatDetails | None] = ContextVar("spine_temporal_beating", default=None)


@contextmanager
def beating(details: BeatDetails) -> Iterator[None]:
    """What the body has encoded is of a heartbeat: it must go out in time, and be it without its details."""
    token = _beating.set(details)
    try:
        yield
    finally:
        _beating.reset(token)


class _Codec(PayloadCodec):
    """The user's codec, or none."""

    def __init__(self, codec: PayloadCodec | None, alarm: Alarm) -> None:
        self.codec, self.alarm = codec, alarm

    async def _encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads) if self.codec is None else await self.codec.encode(payloads)

    async def _decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if self.codec is not None:
            return await self.codec.decode(payloads)
        for payload in payloads:
            # A payload converter of the user's own may have further encodings.
            if payload.metadata.get("encoding") == ENCRYPTED:
                check_decoded(payload)
        return list(payloads)


class RaisingCodec(_Codec):
    """For workflows, and for what activities read: what it raises fails a workflow's task, or postpones an activity."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encode by the user's codec."""
        return await self._or_away(self._encode, payloads, "encoded")

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decode by the user's codec."""
        return await self._or_away(self._decode, payloads, "decoded")

    async def _or_away(
        self,
        work: Callable[[Sequence[Payload]], Awaitable[list[Payload]]],
        payloads: Sequence[Payload],
        doing: str,
    ) -> list[Payload]:
        try:
            return await work(payloads)
        except Exception as error:  # a codec may raise anything
            self.alarm.ring(error, doing)
            raise CodecAway(error) from error


class WaitingCodec(_Codec):
    """For the user's own activities, and for local ones: tries until it works or the activity is taken away."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encode by the user's codec."""
        return await self._until(self._encode, payloads, "encoded")

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decode by the user's codec."""
        return await self._until(self._decode, payloads, "decoded")

    async def _until(
        self,
        work: Callable[[Sequence[Payload]], Awaitable[list[Payload]]],
        payloads: Sequence[Payload],
        doing: str,
    ) -> list[Payload]:
        task, pause_s = asyncio.current_task(), FIRST_PAUSE_S
        while True:
            try:
                return await work(payloads)
            except Exception as error:
                self.alarm.ring(error, doing)
                # It was taken away, and only its end is to be reported; waiting would hold up the worker's own end.
                if task is None or task.cancelling():
                    raise
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


class PassingCodec(_Codec):
    """For our activities: what it cannot decode reaches them as it is, marked; they postpone themselves.

    The SDK would make a failure of it: one that counts as an attempt, and for a heartbeat's details one for good.
    """

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encode by the user's codec, all but what came encoded, or holds a number of attempts only."""
        encoded = list[Payload]()
        details = _beating.get()
        for payload in payloads:
            if not is_plain(payload) or is_uncounted(payload):
                encoded.append(payload)
            elif details is not None:
                encoded += await self._of_beat(payload, details)
            else:
                encoded += await self._or_away(payload)
        return encoded

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decode by the user's codec what it can decode."""
        return [await self._decoded(payload) for payload in payloads]

    async def _decoded(self, payload: Payload) -> Payload:
        if is_uncounted(payload):
            return payload
        try:
            (decoded,) = await self._decode([payload])
            check_decoded(decoded)
        except Exception as error:  # noqa: BLE001 - a codec may raise anything
            self.alarm.ring(error, "decoded")
            return undecoded(payload, str(error) or type(error).__name__)
        return decoded

    async def _of_beat(self, payload: Payload, details: BeatDetails) -> list[Payload]:
        try:
            (details.encoded,) = await self._encode([payload])
        except Exception as error:  # noqa: BLE001 - nor may any stop the beats
            self.alarm.ring(error, "encoded")
        return [details.encoded] if details.encoded is not None else []

    async def _or_away(self, payload: Payload) -> list[Payload]:
        try:
            return await self._encode([payload])
        except Exception as error:
            self.alarm.ring(error, "encoded")
            raise CodecAway(error) from error


@dataclasses.dataclass(frozen=True)
class WorkerConverter(DataConverter):
    """The user's data converter, with a codec that suits whoever uses it."""

    user_codec: PayloadCodec | None = None
    alarm: Alarm = dataclasses.field(default_factory=Alarm)
    # It is asked for with each activity, and by far most codecs are the same whatever the context.
    _wrapping: dict[type[_Codec], Self] = dataclasses.field(default_factory=dict, init=False, repr=False, compare=False)

    def with_context(self, context: SerializationContext) -> Self:
        """The converter for what `context` names."""
        converter, codec = super().with_context(context), self.user_codec
        if isinstance(codec, WithSerializationContext):
            codec = codec.with_context(context)
        if not isinstance(context, ActivitySerializationContext):
            contextual = codec is not None and codec is not self.user_codec
            return _with_codec(converter, RaisingCodec(codec, self.alarm)) if contextual else converter
        postponed = not context.is_local and context.activity_type in POSTPONED_ACTIVITIES
        kind = PassingCodec if postponed else WaitingCodec
        if converter is not self or codec is not self.user_codec:
            return _with_codec(converter, kind(codec, self.alarm))
        if kind not in self._wrapping:
            self._wrapping[kind] = _with_codec(self, kind(codec, self.alarm))
        return self._wrapping[kind]


def _with_codec[Converter: DataConverter](converter: Converter, codec: PayloadCodec) -> Converter:
    changed = copy.copy(converter)
    object.__setattr__(changed, "payload_codec", codec)
    return changed


def worker_converter(converter: DataConverter, meter: MetricMeter = MetricMeter.noop) -> DataConverter:
    """`converter`, for a worker of ours; what its codec cannot do is counted by `meter`."""
    if type(converter) is not DataConverter:
        # Whoever made a class of their own has reasons that are not known here.
        return converter
    codec, alarm = converter.payload_codec, Alarm(meter)
    return WorkerConverter(
        payload_converter_class=converter.payload_converter_class,
        payload_codec=RaisingCodec(codec, alarm) if codec is not None else None,
        failure_converter_class=_open_about_codecs(converter.failure_converter_class),
        external_storage=guarded(converter.external_storage, functools.partial(_away, alarm)),
        user_codec=codec,
        alarm=alarm,
    )


def _away(alarm: Alarm, error: Exception, doing: str) -> CodecAway:
    alarm.ring(error, doing)
    return CodecAway(error)


# Of a client it is made once: it is asked for with each activity.
_of_clients: Final = weakref.WeakKeyDictionary[Client, Client]()


def worker_client(client: Client) -> Client:
    """`client`, for a worker of ours: it encodes and decodes as `worker_converter` says."""
    if isinstance(client.data_converter, WorkerConverter):
        return client
    known = _of_clients.get(client)
    if known is None:
        config = client.config(active_config=True)
        config["plugins"] = []  # they have had their say
        config["data_converter"] = worker_converter(client.data_converter, meter_of(client))
        _of_clients[client] = known = Client(**config)
    return known


@functools.cache
def _open_about_codecs(inner: type[FailureConverter]) -> type[FailureConverter]:
    class OpenAboutCodecs(inner):  # type: ignore[valid-type, misc]
        """The user's failure converter, but for failures that need no codec."""

        def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
            if isinstance(exception, ApplicationError) and exception.type in _OPEN:
                DefaultFailureConverter().to_failure(exception, payload_converter, failure)
            else:
                super().to_failure(exception, payload_converter, failure)

    return OpenAboutCodecs
