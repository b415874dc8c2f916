"""What is read from the metadata of Arrow files is where Arrow wrote."""

import random
import struct

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.arrow_layout import Batches, LayoutError, read_footer, read_messages

BATCHES = [
    pa.record_batch({"a": pa.array(range(5), pa.int16())}),
    pa.record_batch({"a": pa.array(range(900), pa.int16())}),
    pa.record_batch({"a": pa.array([1, None, 3], pa.int64())}),
    pa.record_batch({"a": ["x", "yz"], "b": [[1], []]}),
]


def message(batch: pa.RecordBatch) -> bytes:
    """Prefix and metadata."""
    written = batch.serialize().to_pybytes()
    return written[: 8 + struct.unpack_from("<i", written, 4)[0]]


def body(batch: pa.RecordBatch) -> bytes:
    return bytes(batch.serialize().to_pybytes()[len(message(batch)) :])


@given(st.lists(st.sampled_from(range(len(BATCHES))), max_size=30))
def test_batches_of_several_forms_are_read_in_order(chosen: list[int]) -> None:
    read = list(read_messages([message(BATCHES[number]) for number in chosen]))
    assert [count for batches in read for count in batches.rows] == [len(BATCHES[number]) for number in chosen]
    bodies = [size for batches in read for size in batches.body]
    assert bodies == [len(body(BATCHES[number])) for number in chosen]
    assert all(batches.without_gaps() for batches in read)


def test_buffers_are_where_they_were_written() -> None:
    batch = BATCHES[3]
    [read] = read_messages([message(batch)])
    assert read.nodes.tolist() == [[[2, 0], [2, 0], [1, 0]]]
    (offset, _), (text, length) = read.buffers[0, 1:3].tolist()
    assert np.frombuffer(body(batch), np.int32, 3, offset).tolist() == [0, 1, 3]
    assert body(batch)[text : text + length] == b"xyz"


def test_buffers_may_be_aligned_to_64_bytes_and_leave_no_gap() -> None:
    def laid(*buffers: tuple[int, int], size: int) -> Batches:
        return Batches(np.array([1]), np.empty((1, 0, 2)), np.array([buffers]), np.array([size]))

    assert laid((0, 5), (64, 9), size=128).without_gaps()
    assert laid((0, 5), (8, 9), size=24).without_gaps()
    assert not laid((0, 5), (16, 9), size=32).without_gaps()
    assert not laid((0, 5), (64, 9), size=136).without_gaps()
    assert not laid((0, -8), (0, 9), size=16).without_gaps()


def test_a_footer_names_schema_and_batches() -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, BATCHES[0].schema) as writer:
        for batch in BATCHES[:2]:
            writer.write_batch(batch)
    written = sink.getvalue().to_pybytes()
    size = struct.unpack_from("<i", written, len(written) - 10)[0]
    schema, blocks = read_footer(written[-10 - size : -10])
    assert schema.equals(BATCHES[0].schema)
    for batch, (offset, metadata, length) in zip(BATCHES[:2], blocks.tolist(), strict=True):
        assert written[offset : offset + metadata] == message(batch)
        assert length == len(body(batch))


@given(st.binary(max_size=300), st.integers(0, 3), st.randoms(use_true_random=False))
def test_other_bytes_are_refused(noise: bytes, number: int, chance: random.Random) -> None:
    """Noise is no footer and no message; a message with bytes changed is refused, or is one of other numbers."""
    with pytest.raises(LayoutError):
        read_footer(noise)
    with pytest.raises(LayoutError):
        list(read_messages([noise]))
    changed = bytearray(message(BATCHES[number]))
    for _ in range(3):
        changed[chance.randrange(8, len(changed))] = chance.randrange(256)
    try:
        [read] = read_messages([bytes(changed)])
    except LayoutError:
        return
    assert len(read) == 1
