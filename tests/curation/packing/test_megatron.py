"""What Megatron-LM reads is each document as the tokenizer reads it, by a reader written from the format alone."""

import struct
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from curation.packing.corpus import ParquetCorpus
from curation.packing.megatron import Exported, export_megatron
from curation.packing.packing import pack
from curation.tokenizers.tokenizer import Tokenizer, open_tokenizer
from schemas.errors import UserError
from schemas.packed import Packing
from tests.curation.packing.corpora import Row, byte_level, copies, everything, saved, sentence_piece, write_corpus

TYPES = {4: np.dtype("<i4"), 8: np.dtype("<u2")}


def read(prefix: Path) -> list[list[int]]:
    """The documents of PREFIX.bin and PREFIX.idx."""
    index, tokens = Path(f"{prefix}.idx").read_bytes(), Path(f"{prefix}.bin").read_bytes()
    assert index[:9] == b"MMIDIDX\x00\x00"
    version, code, sequences, entries = struct.unpack_from("<QBQQ", index, 9)
    assert version == 1
    at = 9 + struct.calcsize("<QBQQ")
    lengths = struct.unpack_from(f"<{sequences}i", index, at)
    pointers = struct.unpack_from(f"<{sequences}q", index, at + 4 * sequences)
    documents = struct.unpack_from(f"<{entries}q", index, at + 12 * sequences)
    assert len(index) == at + 12 * sequences + 8 * entries
    kind = TYPES[code]
    rows = [
        np.frombuffer(tokens, kind, length, pointer).tolist() for length, pointer in zip(lengths, pointers, strict=True)
    ]
    assert sum(lengths) * kind.itemsize == len(tokens)
    return [list(chain(*rows[first:last])) for first, last in pairwise(documents)]


def packed(folder: Path, tokenizer: Tokenizer, texts: list[str], length: int, packing: Packing = "concatenate") -> Path:
    rows = [Row(f"d{number}", text) for number, text in enumerate(texts)]
    corpus = ParquetCorpus(path=str(write_corpus(folder / "corpus", rows)))
    pack([corpus], tokenizer, length, folder / "packed", packing=packing)
    return folder / "packed"


@pytest.mark.parametrize("content", [byte_level(), sentence_piece()], ids=["tokenizers", "sentencepiece"])
def test_documents_are_whole_across_sequences_and_shards(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curation.packing.shards.SHARD_BYTES", 1)
    tokenizer = open_tokenizer(saved(tmp_path / "tokenizer", content))
    texts = [f"{number} mills, and a wheel. " * (number % 9) for number in range(100)]
    folder = packed(tmp_path, tokenizer, texts, 7)
    assert len(list((folder / "shards").iterdir())) >= 3
    done = export_megatron(folder, tmp_path / "mill")
    found = read(tmp_path / "mill")
    assert done == Exported(documents=len(found), sequences=len(found), tokens=sum(map(len, found)))
    encoder = tokenizer.encoder()
    order = [int(copy.doc_id.removeprefix("d")) for copy in copies(folder)]
    expected = [encoder.documents([texts[number]])[0].tolist() for number in order]
    assert found[:-1] == expected[:-1]
    assert found[-1] == expected[-1][: len(found[-1])]
    assert done.documents + 2 >= sum(map(bool, texts))


def test_padding_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of best-fit packing every document that fits into a row is whole, and a longer one is cut where the rows are."""
    monkeypatch.setattr("curation.packing.shards.SHARD_BYTES", 1)
    tokenizer = open_tokenizer(saved(tmp_path / "tokenizer", byte_level()))
    texts = [f"{number} mills, and a wheel. " * (number % 9) for number in range(300)]
    folder = packed(tmp_path, tokenizer, texts, 40, packing="best-fit")
    assert len(list((folder / "shards").iterdir())) >= 2
    done = export_megatron(folder, tmp_path / "mill")
    encoder = tokenizer.encoder()
    documents = [encoder.documents([text])[0].tolist() for text in texts if text]
    expected = [tokens[start : start + 40] for tokens in documents for start in range(0, len(tokens), 40)]
    assert sorted(read(tmp_path / "mill")) == sorted(expected)
    assert done == Exported(len(documents), len(expected), sum(map(len, documents)))
    assert max(map(len, documents)) > 80


def test_a_prefix_that_is_taken_is_left_as_it_is(tmp_path: Path) -> None:
    tokenizer = open_tokenizer(saved(tmp_path / "tokenizer", byte_level()))
    folder = packed(tmp_path, tokenizer, ["a mill"], 1)
    (tmp_path / "mill.idx").write_text("mine")
    before = everything(tmp_path)
    with pytest.raises(UserError, match=r"mill\.idx exists already"):
        export_megatron(folder, tmp_path / "mill")
    with pytest.raises(UserError, match=r"manifest\.json is missing"):
        export_megatron(tmp_path / "corpus", tmp_path / "other")
    assert everything(tmp_path) == before


def test_a_changed_token_is_found(tmp_path: Path) -> None:
    tokenizer = open_tokenizer(saved(tmp_path / "tokenizer", byte_level()))
    folder = packed(tmp_path, tokenizer, ["a mill, and a wheel"] * 50, 4)
    shard = folder / "shards" / "00000.arrow"
    with pa.memory_map(str(shard)) as file:
        tokens = pa.ipc.open_file(file).get_batch(0)["tokens"].flatten().to_numpy().tobytes()
    data = shard.read_bytes()
    place = data.index(tokens)
    shard.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    with pytest.raises(UserError, match=r"00000\.arrow is damaged"):
        export_megatron(folder, tmp_path / "mill")
    assert not list(tmp_path.glob("mill*"))
