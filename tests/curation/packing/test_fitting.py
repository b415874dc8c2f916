"""Best-fit packing cuts no document that fits into a row, loses nothing, and packs as a naive program does."""

import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.kernels.best_fit import best_fit
from curation.packing.corpus import ParquetCorpus
from curation.packing.fitting import Fitting
from curation.packing.manifest import Divided, Manifest
from curation.packing.packing import pack
from curation.packing.shares import Mixture, MixtureSource
from curation.tokenizers.tokenizer import open_tokenizer
from schemas import open_packed
from tests.curation.packing.corpora import Row, byte_level, everything, rows_of, saved, write_corpus
from tests.curation.packing.test_order import tokenised
from tests.curation.packing.test_packing import TEXTS, numbered, tokens_of


def naive(items: Sequence[tuple[int, int]], length: int) -> list[list[tuple[int, int]]]:
    """The rows of (size, document) items, in their order: each item is put into the fullest row that has room for it
    and not its document."""
    rows: list[list[tuple[int, int]]] = []
    for size, document in items:
        fits = [row for row in rows if sum(s for s, _ in row) + size <= length and document not in [d for _, d in row]]
        if fits:
            max(fits, key=lambda row: sum(s for s, _ in row)).append((size, document))
        else:
            rows.append([(size, document)])
    return rows


def naive_rows(lengths: Sequence[int], length: int) -> list[int]:
    """The tokens of each row, ascending, of documents of these lengths, each of which occurs once."""
    pieces = [(length, -1) for each in lengths for _ in range(each // length)]
    rest = sorted(((each % length, number) for number, each in enumerate(lengths) if each % length), reverse=True)
    return sorted([size for size, _ in pieces] + [sum(s for s, _ in row) for row in naive(rest, length)])


@given(
    documents=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 4)), max_size=60), length=st.sampled_from([12, 17])
)
def test_the_kernel_packs_as_a_naive_program_does(documents: list[tuple[int, int]], length: int) -> None:
    """Documents are (size, copies)."""
    items = [
        (size, number) for number, (size, copies) in enumerate(sorted(documents, reverse=True)) for _ in range(copies)
    ]
    sizes = np.array([size for size, _ in items], np.int32)
    held = np.array([number for _, number in items], np.int64)
    again = np.concatenate([[False], held[1:] == held[:-1]]) if len(held) else np.zeros(0, np.bool_)
    rows, count = best_fit(sizes, again, length)
    expected = naive(items, length)
    assert count == len(expected)
    filled = np.bincount(rows, sizes, count)
    assert sorted(filled) == sorted(sum(size for size, _ in row) for row in expected)
    assert len(set(zip(rows.tolist(), held.tolist(), strict=True))) == len(items), "no row holds a document twice"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("seed", range(3))
def test_there_are_as_many_rows_as_trl_makes(seed: int) -> None:
    """TRL packs as the paper does, too: rows are filled alike."""
    from datasets import Dataset
    from trl import pack_dataset

    lengths = np.random.default_rng(seed).lognormal(3, 1.2, 500).astype(int) + 1
    documents = Dataset.from_dict({"input_ids": [[0] * length for length in lengths.tolist()]})
    theirs = pack_dataset(documents, seq_length=64, strategy="bfd_split")
    _, plan = fitted(lengths.tolist(), 64, seed)
    assert plan.rows == len(theirs)
    assert sorted(plan.pieces(0, plan.rows).filled.tolist()) == sorted(map(len, theirs["input_ids"]))


def pieces_of(folder: Path) -> list[tuple[str, int, tuple[int, ...], int]]:
    """Each piece of a document as (id, offset, tokens, row); the places behind the pieces of a row hold the padding
    that the manifest names."""
    padding = json.loads((folder / "manifest.json").read_text())["padding"]["token_id"]
    found = []
    for number, row in enumerate(rows_of(folder)):
        tokens, parts, filled = row["tokens"], row["parts"], row["filled"]
        assert isinstance(tokens, list)
        assert isinstance(parts, list)
        assert isinstance(filled, int)
        assert parts[0]["start"] == 0
        assert set(tokens[filled:]) <= {padding}
        stops = [part["start"] for part in parts[1:]] + [filled]
        for part, stop in zip(parts, stops, strict=True):
            assert part["start"] < stop
            found.append((part["doc_id"], part["offset"], tuple(tokens[part["start"] : stop]), number))
    return found


def corpus_of(folder: Path, rows: Sequence[Row], files: int = 1) -> ParquetCorpus:
    return ParquetCorpus(path=str(write_corpus(folder, rows, files)))


@settings(max_examples=40, deadline=None)
@given(texts=TEXTS, length=st.integers(1, 40), seed=st.integers(0, 6), files=st.integers(1, 4))
def test_nothing_is_lost_and_no_document_is_cut_that_fits(texts: list[str], length: int, seed: int, files: int) -> None:
    expected = {f"d{number}": tokens for number, text in enumerate(texts) if (tokens := tokens_of(text))}
    if not expected:
        return
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr("curation.packing.shards.SHARD_BYTES", 1)
        folder, tokenizer = Path(place), open_tokenizer(saved(Path(place) / "t.json", byte_level()))
        corpus = corpus_of(folder / "corpus", numbered(texts), files)
        packed = pack([corpus], tokenizer, length, folder / "out", seed=seed, threads=2, packing="best-fit")
        found: dict[str, dict[int, tuple[int, ...]]] = defaultdict(dict)
        for name, offset, tokens, _ in pieces_of(folder / "out"):
            assert offset not in found[name], "nothing twice"
            found[name][offset] = tokens
        for name, tokens in expected.items():
            cuts = range(0, len(tokens), length)
            assert found[name] == {offset: tokens[offset : offset + length] for offset in cuts}
        assert found.keys() == expected.keys()
        filled = [row["filled"] for row in rows_of(folder / "out")]
        assert sorted(filled) == naive_rows([len(tokens) for tokens in expected.values()], length)
        total, places = sum(map(len, expected.values())), packed.rows * length
        longer = sum(len(tokens) > length for tokens in expected.values())
        assert packed.divided == Divided(documents=longer, share=longer / len(expected), fitting=0)
        assert packed.ledger["sequences"] == {"tokens": places, "packed": total, "padding": places - total}
        assert packed.ledger["documents"]["packed"] == len(expected)
        assert packed.ledger["tokens"]["packed"] == total
        assert packed.padding is not None
        assert (packed.padding.token, packed.padding.tokens) == ("</s>", places - total)
        assert packed.padding.share == pytest.approx(1 - total / places)
        read = open_packed(folder / "out", verify=True)
        assert [read[row].tolist() for row in range(len(read))] == [row["tokens"] for row in rows_of(folder / "out")]
        assert [read.filled(row) for row in range(len(read))] == filled


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    return saved(tmp_path / "tokenizer.json", byte_level())


def test_neither_files_nor_threads_change_a_byte_and_a_seed_does(tmp_path: Path, tokenizer: Path) -> None:
    rows = numbered([f"{number} mills " * (number % 7) for number in range(300)])
    rows += [Row("d1", "another text of that id"), Row("d1", "another text of that id"), Row("d1", "a third")]
    outputs = []
    for number, (order, files, threads, seed) in enumerate([(rows, 1, 1, 0), (rows[::-1], 7, 3, 0), (rows, 1, 1, 1)]):
        corpus = corpus_of(tmp_path / f"place{number}" / "corpus", order, files)
        output = tmp_path / str(number)
        pack([corpus], open_tokenizer(tokenizer), 24, output, threads=threads, seed=seed, packing="best-fit")
        outputs.append(everything(output))
    assert outputs[0] == outputs[1] != outputs[2]


def test_copies_of_a_document_are_never_in_one_row_and_rows_are_shuffled(tmp_path: Path, tokenizer: Path) -> None:
    texts = [f"mill {number} " * (1 + number % 23) for number in range(200)]
    corpus = corpus_of(tmp_path / "corpus", numbered(texts))
    mixture = Mixture(source=(MixtureSource(name="web", path=corpus.path, share=1, max_epochs=3),))
    named = ParquetCorpus(path=corpus.path, name="web")
    packed = pack([named], open_tokenizer(tokenizer), 128, tmp_path / "out", mixture=mixture, packing="best-fit")
    found = pieces_of(tmp_path / "out")
    assert packed.sources[0].epochs == 3
    rows = [(name, row) for name, offset, _, row in found if offset == 0]
    assert Counter(name for name, _ in rows) == {f"d{number}": 3 for number in range(200)}
    assert len(set(rows)) == len(rows)
    ascending: dict[str, list[int]] = defaultdict(list)
    for name, row in rows:
        ascending[name].append(row)
    near = sum(after - before == 1 for places in ascending.values() for before, after in pairwise(places))
    assert near < 400 * 2 / packed.rows * 3, "copies are as far apart as a shuffle puts them"


def fitted(lengths: list[int], length: int, seed: int) -> tuple[list[list[int]], Fitting]:
    """The lengths of the documents in each row."""
    corpus = tokenised(lengths, [0] * len(lengths), ["one"])
    plan = Fitting(corpus, np.random.default_rng(seed).permutation(len(lengths)), length, 0, seed)
    pieces = plan.pieces(0, plan.rows)
    rows = np.split(corpus.lengths[pieces.documents], pieces.lists[1:-1])
    return [row.tolist() for row in rows], plan


def test_neither_rows_nor_documents_in_them_are_in_the_order_of_lengths() -> None:
    lengths = np.random.default_rng(0).integers(1, 100, 4000).tolist()
    rows, _ = fitted(lengths, 100, seed=5)
    longest = [max(row) for row in rows]
    assert abs(np.corrcoef(longest[:-1], longest[1:])[0, 1]) < 0.1
    assert abs(np.corrcoef(longest, np.arange(len(longest)))[0, 1]) < 0.1
    pairs = [row for row in rows if len(row) > 1]
    assert 0.4 < np.mean([row[0] > row[1] for row in pairs]) < 0.6
    other, _ = fitted(lengths, 100, seed=6)
    assert rows != other


def test_little_is_padding_where_there_are_short_documents() -> None:
    lengths = (np.random.default_rng(1).lognormal(4, 1.2, 5000).astype(int) + 1).tolist()
    rows, plan = fitted(lengths, 512, seed=0)
    assert 1 - sum(lengths) / (plan.rows * 512) < 0.001
    assert len(rows) == plan.rows


def manifest_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def test_the_manifest_says_how_documents_were_packed(tmp_path: Path, tokenizer: Path) -> None:
    """That of the default names neither the packing nor padding, as in earlier versions."""
    corpus = corpus_of(tmp_path / "corpus", numbered(["a mill"]))
    done: list[Manifest] = [
        pack([corpus], open_tokenizer(tokenizer), 3, tmp_path / "default"),
        pack([corpus], open_tokenizer(tokenizer), 1000, tmp_path / "fitted", packing="best-fit"),
    ]
    default, fitted = manifest_of(tmp_path / "default"), manifest_of(tmp_path / "fitted")
    assert default["version"] == 1
    assert not {"packing", "padding"} & default.keys()
    assert default["ledger"].keys() == {"documents", "tokens"}
    assert (fitted["version"], fitted["packing"], fitted["rows"]) == (2, "best-fit", 1)
    count = len(tokens_of("a mill"))
    assert fitted["padding"] == {
        "token": "</s>",
        "token_id": done[1].tokenizer.end_id,
        "tokens": 1000 - count,
        "share": 1 - count / 1000,
    }
