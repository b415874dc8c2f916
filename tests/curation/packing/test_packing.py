"""What is packed is what was read: every token, in order, as often as asked, whatever the files and threads."""

import errno
import json
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Plain

from curation.packing.corpus import Columns, ParquetCorpus
from curation.packing.manifest import Divided
from curation.packing.packing import pack
from curation.packing.shares import Mixture, MixtureSource
from curation.tokenizers.tokenizer import open_tokenizer
from schemas import open_packed
from schemas.balance import LedgerError
from schemas.errors import RunError, UserError
from tests.curation.engine.test_takedown import run, write
from tests.curation.packing.corpora import (
    Copy,
    Row,
    byte_level,
    copies,
    everything,
    rows_of,
    saved,
    sentence_piece,
    write_corpus,
)

TEXTS = st.lists(st.one_of(st.sampled_from(["", "</s>", "a</s></s>", "mill " * 40]), st.text(max_size=30)), max_size=12)


def tokens_of(text: str) -> tuple[int, ...]:
    """By the tokenizer alone, with the end token; an empty text has none."""
    plain = Plain.from_str(byte_level().decode())
    plain.encode_special_tokens = True
    found = plain.encode(text, add_special_tokens=False).ids
    return (*found, plain.token_to_id("</s>")) if found else ()


def copies_of(found: Sequence[Copy], name: str) -> tuple[int, ...]:
    """The packed tokens of a document that is packed once."""
    [tokens] = [copy.tokens for copy in found if copy.doc_id == name]
    return tuple(tokens)


def numbered(texts: Sequence[str]) -> list[Row]:
    return [Row(f"d{number}", text) for number, text in enumerate(texts)]


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    return saved(tmp_path / "tokenizer.json", byte_level())


@settings(max_examples=40, deadline=None)
@given(texts=TEXTS, length=st.integers(1, 40), seed=st.integers(0, 6), files=st.integers(1, 4))
def test_every_token_of_every_document_is_packed_once_and_in_order(
    texts: list[str], length: int, seed: int, files: int
) -> None:
    expected = {f"d{number}": tokens_of(text) for number, text in enumerate(texts)}
    total = sum(map(len, expected.values()))
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr("curation.packing.shards.SHARD_BYTES", 1)
        folder, tokenizer = Path(place), open_tokenizer(saved(Path(place) / "t.json", byte_level()))
        corpus = ParquetCorpus(path=str(write_corpus(folder / "corpus", numbered(texts), files)))
        if total < length:
            with pytest.raises(UserError, match=r"too few for --length|no document yields a token"):
                pack([corpus], tokenizer, length, folder / "out", seed=seed)
            return
        packed = pack([corpus], tokenizer, length, folder / "out", seed=seed, threads=2)
        found = copies(folder / "out")
        assert sum(len(copy.tokens) for copy in found) == total - total % length == packed.rows * length
        held = [[part["doc_id"] for part in row["parts"]] for row in rows_of(folder / "out")]
        apart = {name for name in expected if sum(name in row for row in held) > 1}
        apart |= {name for name in held[-1][-1:] if len(copies_of(found, name)) < len(expected[name])}
        fitting = {name for name in apart if len(expected[name]) <= length}
        packed_documents = packed.ledger["documents"]["packed"]
        assert packed.divided == Divided(
            documents=len(apart), share=len(apart) / packed_documents, fitting=len(fitting)
        )
        assert [copy.tokens for copy in found[:-1]] == [expected[copy.doc_id] for copy in found[:-1]]
        last = found[-1]
        assert last.tokens == expected[last.doc_id][: len(last.tokens)]
        assert max(Counter(copy.doc_id for copy in found).values()) == 1
        held = sum(map(bool, expected.values()))
        assert packed.ledger["documents"] == {
            "read": len(texts),
            "empty": len(texts) - held,
            "left_out": 0,
            "tail": held - len(found),
            "packed": len(found),
        }
        read = open_packed(folder / "out", verify=True)
        assert [read[row].tolist() for row in range(len(read))] == [row["tokens"] for row in rows_of(folder / "out")]


def test_neither_files_nor_threads_nor_folders_change_a_byte(tmp_path: Path, tokenizer: Path) -> None:
    rows = numbered([f"{number} mills " * (number % 7) for number in range(300)])
    rows += [Row("d1", "another text of that id"), Row("d1", "another text of that id"), Row("d1", "a third")]
    outputs = []
    for number, (order, files, threads) in enumerate([(rows, 1, 1), (rows, 7, 2), (rows[::-1], 3, 3)]):
        folder = tmp_path / f"place{number}" / "corpus"
        corpus = ParquetCorpus(path=str(write_corpus(folder, order, files)))
        pack([corpus], open_tokenizer(tokenizer), 16, tmp_path / str(number), threads=threads)
        outputs.append(everything(tmp_path / str(number)))
    assert outputs[0] == outputs[1] == outputs[2]
    assert sorted(outputs[0]) == ["manifest.json", "shards/00000.arrow", "tokenizer.json"]


def test_the_order_is_a_shuffle_that_the_seed_decides(tmp_path: Path, tokenizer: Path) -> None:
    corpus = ParquetCorpus(path=str(write_corpus(tmp_path / "corpus", numbered(["a mill"] * 200))))
    orders = []
    for seed in (0, 1):
        pack([corpus], open_tokenizer(tokenizer), 1, tmp_path / str(seed), seed=seed)
        orders.append([copy.doc_id for copy in copies(tmp_path / str(seed))])
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(f"d{number}" for number in range(200))
    places = [orders[0].index(name) - orders[1].index(name) for name in orders[0]]
    assert places.count(0) < 10
    kept = [orders[0].index(f"d{number}") - number for number in range(200)]
    assert kept.count(0) < 10


def test_copies_of_a_document_are_shuffled_apart(tmp_path: Path, tokenizer: Path) -> None:
    """Without ids, documents of one text are equal: each has a place of its own all the same."""
    texts = [*(f"mill {number}" for number in range(800)), *["again and again"] * 200]
    orders = []
    for number, (order, files) in enumerate([(texts, 1), (texts[::-1], 5)]):
        folder = write_corpus(tmp_path / f"place{number}" / "corpus", [Row(None, text) for text in order], files)
        pack([ParquetCorpus(path=str(folder))], open_tokenizer(tokenizer), 1, tmp_path / str(number))
        orders.append([copy.tokens for copy in copies(tmp_path / str(number))])
    assert orders[0] == orders[1]
    places = [place for place, tokens in enumerate(orders[0]) if tokens == tokens_of("again and again")]
    assert len(places) == 200
    beside = sum(place + 1 == after for place, after in pairwise(places))
    assert beside < 80, "of a random order, about 40 of the 200 have a copy behind them"
    assert sum(place < 500 for place in places) in range(60, 140)


def test_a_begin_token_stands_before_every_document(tmp_path: Path) -> None:
    path = saved(tmp_path / "t.model", sentence_piece())
    folder = write_corpus(tmp_path / "corpus", numbered(["a mill", "", "</s>", "<s>"]))
    tokenizer = open_tokenizer(path, begin_token="<s>")
    pack([ParquetCorpus(path=str(folder))], tokenizer, 1, tmp_path / "out")
    pack([ParquetCorpus(path=str(folder))], open_tokenizer(path), 1, tmp_path / "without")
    plain = {copy.doc_id: copy.tokens for copy in copies(tmp_path / "without")}
    found = {copy.doc_id: copy.tokens for copy in copies(tmp_path / "out")}
    assert found == {name: (1, *tokens) for name, tokens in plain.items()}
    assert set(found) == {"d0", "d2", "d3"}
    noted = json.loads((tmp_path / "out" / "manifest.json").read_text())["tokenizer"]
    assert (noted["begin_token"], noted["begin_id"]) == ("<s>", 1)
    with pytest.raises(UserError, match="has no token <begin>: name a token of its vocabulary as the begin token"):
        open_tokenizer(path, begin_token="<begin>")


def test_a_folder_of_a_tokenizer_is_taken(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no tokenizer\.json or tokenizer\.model"):
        open_tokenizer(tmp_path)
    saved(tmp_path / "tokenizer.model", sentence_piece())
    assert open_tokenizer(tmp_path).kind == "sentencepiece"
    saved(tmp_path / "tokenizer.json", byte_level())
    assert open_tokenizer(tmp_path).content == byte_level()


def test_a_source_is_gone_through_as_often_as_its_share_needs(tmp_path: Path, tokenizer: Path) -> None:
    few = write_corpus(tmp_path / "few", numbered([f"few {number}" for number in range(40)]))
    many = write_corpus(tmp_path / "many", numbered([f"many {number}" for number in range(200)]))
    mixture = Mixture(
        source=(
            MixtureSource(name="few", path=str(few), share=1, max_epochs=2.5),
            MixtureSource(name="many", path=str(many), share=1, max_epochs=1),
        )
    )
    corpora = [ParquetCorpus(path=source.path, name=source.name) for source in mixture.source]
    packed = pack(corpora, open_tokenizer(tokenizer), 1, tmp_path / "out", mixture=mixture)
    found = copies(tmp_path / "out")
    assert {copy.tokens for copy in found if copy.source == "few"} == {tokens_of(f"few {n}") for n in range(40)}
    times = Counter(copy.doc_id for copy in found if copy.source == "few")
    assert set(times.values()) == {2, 3}
    report = {source.name: source for source in packed.sources}
    tokens = sum(len(copy.tokens) for copy in found if copy.source == "few")
    longest = max(len(copy.tokens) for copy in found)
    assert report["few"].taken_tokens == tokens
    assert 2.5 * report["few"].tokens - longest < tokens <= 2.5 * report["few"].tokens
    assert abs(report["many"].taken_tokens - tokens) < 2 * longest
    assert max(Counter(copy.doc_id for copy in found if copy.source == "many").values()) == 1
    order = [copy.doc_id for copy in found if copy.source == "few"]
    first = [order.index(name) for name in times]
    assert order != sorted(order, key=lambda name: (times[name], name))
    assert max(first) > 40, "epochs are shuffled together"
    documents, amounts = packed.ledger["documents"], packed.ledger["tokens"]
    assert documents["read"] == 240 == documents["packed"] + documents["left_out"]
    assert amounts["read"] + amounts["repeated"] == amounts["left_out"] + amounts["packed"]
    assert amounts["packed"] == sum(len(copy.tokens) for copy in found)


def test_a_source_that_its_cap_holds_is_short_and_no_other_grows(tmp_path: Path, tokenizer: Path) -> None:
    one = write_corpus(tmp_path / "one", numbered(["a mill"] * 10))
    two = write_corpus(tmp_path / "two", numbered(["a mill"] * 100))
    mixture = Mixture(
        source=(
            MixtureSource(name="one", path=str(one), share=0.5),
            MixtureSource(name="two", path=str(two), share=0.5),
        ),
        tokens=20 * len(tokens_of("a mill")),
    )
    corpora = [ParquetCorpus(path=source.path, name=source.name) for source in mixture.source]
    packed = pack(corpora, open_tokenizer(tokenizer), 1, tmp_path / "out", mixture=mixture)
    assert [(source.short, source.given) for source in packed.sources] == [(False, 0.5), (False, 0.5)]
    larger = Mixture(source=mixture.source, tokens=40 * len(tokens_of("a mill")))
    packed = pack(corpora, open_tokenizer(tokenizer), 1, tmp_path / "larger", mixture=larger)
    assert [(source.short, source.epochs) for source in packed.sources] == [(True, 1.0), (False, 0.2)]


def test_sources_are_those_of_the_documents_where_no_name_is_given(tmp_path: Path, tokenizer: Path) -> None:
    rows = [Row("a", "of the crawl", "web"), Row("b", "of nobody"), Row("c", "of a book", "books")]
    folder = write_corpus(tmp_path / "corpus", rows)
    packed = pack([ParquetCorpus(path=str(folder))], open_tokenizer(tokenizer), 1, tmp_path / "out")
    assert [(source.name, source.documents) for source in packed.sources] == [("books", 1), ("corpus", 1), ("web", 1)]
    assert {(copy.doc_id, copy.source) for copy in copies(tmp_path / "out")} == {
        ("a", "web"),
        ("b", "corpus"),
        ("c", "books"),
    }


def test_documents_without_an_id_are_known_by_their_text(tmp_path: Path, tokenizer: Path) -> None:
    rows = [Row(None, "a mill"), Row(None, "a stone"), Row(None, "a mill"), Row(None, None)]
    write_corpus(tmp_path / "corpus", rows)
    path = str(tmp_path / "corpus" / "00.parquet")
    packed = pack([ParquetCorpus(path=path, columns=Columns())], open_tokenizer(tokenizer), 1, tmp_path / "out")
    assert packed.ledger["documents"] == {"read": 4, "empty": 1, "left_out": 0, "tail": 0, "packed": 3}
    found = copies(tmp_path / "out")
    assert len({copy.doc_id for copy in found}) == 2
    assert {copy.tokens for copy in found} == {tokens_of("a mill"), tokens_of("a stone")}


def test_the_manifest_says_what_was_packed_and_how(tmp_path: Path, tokenizer: Path) -> None:
    folder = write_corpus(tmp_path / "corpus", numbered(["a mill", "a stone"]))
    pack([ParquetCorpus(path=str(folder))], open_tokenizer(tokenizer), 3, tmp_path / "out", seed=5)
    noted = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert {name: noted[name] for name in ("format", "version", "length", "token_type", "seed")} == {
        "format": "gristmill.packed",
        "version": 1,
        "length": 3,
        "token_type": "uint16",
        "seed": 5,
    }
    assert noted["tokenizer"]["end_token"] == "</s>"
    assert (tmp_path / "out" / noted["tokenizer"]["file"]).read_bytes() == tokenizer.read_bytes()
    assert str(tmp_path) not in json.dumps(noted)
    other = write_corpus(tmp_path / "other" / "corpus", numbered(["a mill", "a stone "]))
    pack([ParquetCorpus(path=str(other))], open_tokenizer(tokenizer), 3, tmp_path / "out2", seed=5)
    assert json.loads((tmp_path / "out2" / "manifest.json").read_text())["content"] != noted["content"]


def test_a_run_that_fails_leaves_nothing(tmp_path: Path, tokenizer: Path) -> None:
    folder = write_corpus(tmp_path / "corpus", numbered(["a mill " * 50] * 4000))
    whole = (folder / "00.parquet").read_bytes()
    middle = len(whole) // 2
    (folder / "00.parquet").write_bytes(whole[: middle - 400] + bytes(800) + whole[middle + 400 :])
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UserError, match="cannot be read as Parquet"):
        pack([ParquetCorpus(path=str(folder))], open_tokenizer(tokenizer), 8, tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before


def test_a_run_that_filled_the_disk_goes_on(tmp_path: Path, tokenizer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_corpus(tmp_path / "corpus", numbered(["a mill " * 50] * 40))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def run() -> None:
        pack([ParquetCorpus(path=str(folder))], open_tokenizer(tokenizer), 8, tmp_path / "out")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("curation.packing.packing.write_shards", full)
        with pytest.raises(RunError, match="out is full: free some space and run again"):
            run()
    assert "TOKENIZERS_PARALLELISM" not in os.environ
    monkeypatch.setattr("curation.packing.packing.encode", lambda *_: pytest.fail("it tokenised again"))
    run()
    assert sorted(everything(tmp_path / "out")) == ["manifest.json", "shards/00000.arrow", "tokenizer.json"]


def test_a_ledger_that_does_not_balance_fails_the_run(
    tmp_path: Path, tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_corpus(tmp_path / "corpus", numbered(["a mill " * 50] * 40))
    monkeypatch.setattr("curation.packing.packing.write_shards", lambda *_: {})
    with pytest.raises(LedgerError, match="tokens: 4,080 came in, and 0 went out"):
        pack([ParquetCorpus(path=str(folder))], open_tokenizer(tokenizer), 8, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_packed_is_said(tmp_path: Path, tokenizer: Path) -> None:
    folder = write_corpus(tmp_path / "corpus", numbered(["a mill"]))
    corpus, opened = ParquetCorpus(path=str(folder)), open_tokenizer(tokenizer)
    (tmp_path / "nothing").mkdir()
    (tmp_path / "unfinished" / ".work").mkdir(parents=True)
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "a.parquet").write_text("no Parquet")
    pack([corpus], opened, 1, tmp_path / "out")
    hollow = write_corpus(tmp_path / "hollow", numbered([""]))
    mixture = Mixture(source=(MixtureSource(name="a", path="", share=1), MixtureSource(name="b", path="", share=1)))
    faults = [
        ([ParquetCorpus(path=str(tmp_path / "missing"))], None, "there is no corpus"),
        ([ParquetCorpus(path=str(tmp_path / "nothing"))], None, "holds no Parquet"),
        ([ParquetCorpus(path=str(tmp_path / "unfinished"))], None, "is unfinished"),
        ([ParquetCorpus(path=str(tmp_path / "page"))], None, "cannot be read as Parquet"),
        ([ParquetCorpus(path=str(tmp_path / "out"))], None, "was not written by gristmill curate"),
        ([ParquetCorpus(path=str(folder), columns=Columns(text="body"))], None, "has no column body"),
        ([corpus, corpus], None, "is named twice"),
        (
            [ParquetCorpus(path=str(folder), name="a"), ParquetCorpus(path=str(hollow), name="b")],
            mixture,
            "source b holds no text",
        ),
        ([corpus], Mixture(source=(*mixture.source, mixture.source[0])), "two sources are named a"),
    ]
    for corpora, mixed, said in faults:
        with pytest.raises(UserError, match=said):
            pack(corpora, opened, 1, tmp_path / "new", mixture=mixed)
        assert not (tmp_path / "new").exists()
    with pytest.raises(UserError, match="holds a finished run"):
        pack([corpus], opened, 1, tmp_path / "out")


def test_of_a_curated_folder_the_documents_are_packed(tmp_path: Path, tokenizer: Path) -> None:
    write(tmp_path / "in", [[("a mill", None), ("a stone", None), ("", None)]])
    corpus = run(tmp_path / "in", tmp_path / "corpus")
    pack([ParquetCorpus(path=str(corpus))], open_tokenizer(tokenizer), 1, tmp_path / "out")
    assert {copy.tokens for copy in copies(tmp_path / "out")} == {tokens_of("a mill"), tokens_of("a stone")}
    pq.write_table(pa.table({"text": ["added"]}), corpus / "documents" / "added.parquet")
    with pytest.raises(UserError, match="is not in the corpus's manifest: move it elsewhere"):
        pack([ParquetCorpus(path=str(corpus))], open_tokenizer(tokenizer), 1, tmp_path / "again")


def test_a_text_that_is_not_utf8_is_said(tmp_path: Path, tokenizer: Path) -> None:
    text = pa.array([b"\xff\xfe"]).view(pa.string())
    (tmp_path / "corpus").mkdir()
    pq.write_table(pa.table({"text": text}), tmp_path / "corpus" / "a.parquet")
    with pytest.raises(UserError, match="not UTF-8"):
        pack([ParquetCorpus(path=str(tmp_path / "corpus"))], open_tokenizer(tokenizer), 1, tmp_path / "out")
