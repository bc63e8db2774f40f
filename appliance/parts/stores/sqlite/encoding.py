"""Records as bytes and back: MessagePack maps by field name, typed by the record's class.

A field that a newer program added is ignored, so that a roll-back can still read what it finds.
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from appliance.protocol.records import Record
from appliance.seams import StoreUnavailable

R = TypeVar("R", bound=Record)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):  # a read-only view
        return dict(value)
    raise TypeError(f"a record holds a {type(value).__name__}, which cannot be stored")


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain)
_decoders: dict[type[Record], msgspec.msgpack.Decoder[Record]] = {}


def encode(record: Record) -> bytes:
    """The bytes of a record."""
    return _ENCODER.encode(record)


def read_record(kind: type[R], body: bytes) -> R:
    """The record of a kind that the bytes hold. StoreUnavailable when they hold none: never a guess."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.msgpack.Decoder(kind)
    try:
        record = decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise StoreUnavailable(f"a stored {kind.kind} cannot be read") from None
    if not isinstance(record, kind):
        raise StoreUnavailable(f"a stored {kind.kind} cannot be read")
    return record


def same(kind: type[Record], expected: bytes, stored: bytes) -> bool:
    """Whether two encodings are the same record, however they were written."""
    return expected == stored or read_record(kind, expected) == read_record(kind, stored)
