"""Corpora and tokenizers in small, and packed folders read back by the format alone."""

import io
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import sentencepiece
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

PROSE = [
    "The miller grinds wheat and rye between two stones, and the wheel turns slowly in the stream.",
    "A sluice lets water onto the wheel. In 1823 there were 64 mills on this river, and in 1911 there were 7.",
    "Stones are dressed every 14 days; a dull stone warms the flour, and warm flour spoils.",
] * 4
END = "</s>"


class Row(NamedTuple):
    doc_id: str | None
    text: str | None
    source: str | None = None


class Copy(NamedTuple):
    """A document as it lies in packed sequences; the last one of all may be cut off."""

    doc_id: str
    source: str
    tokens: tuple[int, ...]


def write_corpus(folder: Path, rows: Sequence[Row], files: int = 1) -> Path:
    """The rows in so many Parquet files, a column that has no value left out."""
    folder.mkdir(parents=True)
    size = -(-len(rows) // files) or 1
    for number in range(files):
        part = rows[number * size : (number + 1) * size]
        columns = {name: pa.array([getattr(row, name) for row in part], pa.string()) for name in Row._fields}
        kept = {name: column for name, column in columns.items() if name == "text" or column.null_count < len(rows)}
        pq.write_table(pa.table(kept), folder / f"{number:02}.parquet")
    return folder


@cache
def byte_level(end: str = END, vocabulary: int = 320) -> bytes:
    """A tokenizer.json of byte-level BPE."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=[end], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(PROSE, trainer)
    return tokenizer.to_str().encode()


@cache
def unigram() -> bytes:
    """A tokenizer.json whose model itself holds ``</s>``, so that it makes that of a text whatever it is asked."""
    letters = [(letter, -3.0) for letter in "abcdefghijklmnopqrstuvwxyz </s>"]
    tokenizer = Tokenizer(models.Unigram([("<unk>", 0.0), (END, -1.0), *letters], unk_id=0, byte_fallback=False))
    tokenizer.add_special_tokens(["<unk>", END])
    return tokenizer.to_str().encode()


@cache
def sentence_piece(user_defined: str = "", eos: int = 2, **settings: Any) -> bytes:
    """A SentencePiece model; ``settings`` are more arguments of its trainer."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(PROSE),
        model_writer=model,
        vocab_size=330,
        model_type="bpe",
        byte_fallback=True,
        user_defined_symbols=[user_defined] if user_defined else [],
        eos_id=eos,
        minloglevel=2,
        **settings,
    )
    return model.getvalue()


@cache
def losing_line_feeds() -> bytes:
    """As SentencePiece trains it when nothing else is asked for: white space becomes one blank."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*PROSE, "</s>"]),
        model_writer=model,
        vocab_size=60,
        model_type="bpe",
        character_coverage=1.0,
        minloglevel=2,
    )
    return model.getvalue()


def saved(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def rows_of(folder: Path) -> Iterator[dict[str, object]]:
    """The rows of all shards, in their order."""
    names = sorted(json.loads((folder / "manifest.json").read_text())["files"])
    for name in names:
        with pa.memory_map(str(folder / name)) as file:
            yield from pa.ipc.open_file(file).read_all().to_pylist()


def copies(folder: Path) -> list[Copy]:
    """The documents in the order in which they were packed, put together from their parts."""
    found: list[tuple[str, str, list[int]]] = []
    for row in rows_of(folder):
        tokens, parts = row["tokens"], row["parts"]
        assert isinstance(tokens, list)
        assert isinstance(parts, list)
        assert parts[0]["start"] == 0
        stops = [part["start"] for part in parts[1:]] + [len(tokens)]
        for part, stop in zip(parts, stops, strict=True):
            assert part["start"] < stop
            if part["offset"] == 0:
                found.append((part["doc_id"], part["source"], []))
            assert found[-1][:2] == (part["doc_id"], part["source"])
            assert len(found[-1][2]) == part["offset"]
            found[-1][2].extend(tokens[part["start"] : stop])
    return [Copy(doc_id, source, tuple(tokens)) for doc_id, source, tokens in found]


def everything(folder: Path) -> dict[str, bytes]:
    """All files of a folder, by their names."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
