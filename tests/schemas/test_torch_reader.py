"""Every rank reads its rows, with any number of workers, and resumes after the batch that it received last."""

import pickle
import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from schemas.reading import StateError
from schemas.torch_reader import RankSampler, SequenceDataset, SequenceLoader, SequenceStream
from tests.schemas.packed_folders import filled_of, parts_of, tokens_of, write_packed

ROWS, LENGTH = 101, 6
TOKENS = tokens_of(ROWS, LENGTH)

pytestmark = [
    # a test asks for more workers than a small machine has processors, and pytest may have threads
    pytest.mark.filterwarnings("ignore:This DataLoader will create .* worker processes:UserWarning"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_packed(tmp_path_factory.mktemp("packed") / "out", TOKENS, shard_rows=64)


def loader(folder: Path, workers: int = 0, context: str | None = "fork", **settings: Any) -> SequenceLoader:
    stream = SequenceStream(folder, **({"batch": 4, "rank": 0, "world": 1} | settings))
    return SequenceLoader(stream, num_workers=workers, multiprocessing_context=context if workers else None)


def rows_of(batches: Iterator[Any] | SequenceLoader) -> list[list[int]]:
    """The numbers of the rows of each batch, which are their first tokens."""
    return [batch["input_ids"][:, 0].tolist() for batch in batches]


def test_a_row_and_a_batch(folder: Path) -> None:
    dataset = SequenceDataset(folder, labels=True, boundaries=True)
    row = dataset[7]
    assert len(dataset) == ROWS
    assert {value.dtype for value in row.values()} == {torch.int64}
    assert row["input_ids"].tolist() == row["labels"].tolist() == TOKENS[7].tolist()
    assert row["document_ids"].tolist() == [0, 1, 2, 2, 2, 2], "parts start at 0, 1 and 2"
    assert row["position_ids"].tolist() == [0, 0, 0, 1, 2, 3]
    batch = next(iter(SequenceStream(folder, batch=4, rank=0, world=1, labels=True, boundaries=True)))
    for number in range(4):
        assert all(torch.equal(value, batch[name][number]) for name, value in dataset[number].items())
    batch["labels"].fill_(-100)
    assert batch["input_ids"][0, 0] == TOKENS[0, 0], "labels have memory of their own"


@pytest.mark.parametrize("workers", [0, 2])
def test_a_dataset_with_a_sampler_reads_what_the_stream_reads(folder: Path, workers: int) -> None:
    settings: dict[str, Any] = {"batch": 4, "rank": 1, "world": 2, "shuffle": True}
    dataset = SequenceDataset(folder)
    sampler = RankSampler(dataset, **settings)
    read = DataLoader(
        dataset, batch_sampler=sampler, num_workers=workers, multiprocessing_context="fork" if workers else None
    )
    one = loader(folder, **settings)
    assert len(read) == len(one)
    for _ in range(2):
        assert rows_of(iter(read)) == rows_of(one)


def test_a_sampler_resumes(folder: Path) -> None:
    dataset = SequenceDataset(folder)
    sampler, other = (RankSampler(dataset, batch=4, rank=0, world=1) for _ in range(2))
    whole, begun = list(sampler), iter(sampler)
    head = list(islice(begun, 3))
    other.load_state_dict(sampler.state_dict())
    other.set_epoch(1)
    assert head + list(other) == head + list(begun)
    other.set_epoch(0)
    assert list(other) == whole


@pytest.mark.parametrize("world", [1, 3])
@pytest.mark.parametrize("workers", [0, 2])
def test_every_row_is_read_once(folder: Path, world: int, workers: int) -> None:
    reads_every_row_once(folder, world, workers)


@pytest.mark.soak
@pytest.mark.parametrize("workers", range(5))
@pytest.mark.parametrize("world", range(1, 17))
def test_every_row_is_read_once_by_any_ranks_and_workers(folder: Path, world: int, workers: int) -> None:
    reads_every_row_once(folder, world, workers)


def reads_every_row_once(folder: Path, world: int, workers: int) -> None:
    """In an epoch that is shuffled."""
    ranks = [loader(folder, workers, rank=rank, world=world, shuffle=True, even="none") for rank in range(world)]
    assert Counter(row for rank in ranks for batch in rows_of(rank) for row in batch) == Counter(range(ROWS))


@pytest.mark.parametrize("workers", [1, 2])
def test_the_order_is_the_same_with_any_number_of_workers(folder: Path, workers: int) -> None:
    alone, several = loader(folder), loader(folder, workers)
    for _ in range(2):
        assert rows_of(several) == rows_of(alone)


@pytest.mark.parametrize(("before", "after"), [(0, 2), (2, 0), (2, 1)])
def test_it_resumes_after_the_batch_that_was_received(folder: Path, before: int, after: int) -> None:
    resumes(folder, before, after, random.Random(before * 10 + after), rank=1, world=2)


@pytest.mark.soak
@pytest.mark.parametrize("before", range(5))
@pytest.mark.parametrize("after", range(5))
@pytest.mark.parametrize("world", [1, 2, 5, 16])
def test_it_resumes_anywhere_with_other_workers(folder: Path, before: int, after: int, world: int) -> None:
    chance = random.Random(f"{before} {after} {world}")
    for even in ("none", "pad", "drop"):
        resumes(folder, before, after, chance, rank=chance.randrange(world), world=world, even=even)


def resumes(folder: Path, before: int, after: int, chance: random.Random, **settings: Any) -> None:
    """Three epochs, interrupted at a point of chance in each, are those without an interruption."""
    whole = loader(folder, **settings)
    first, workers = loader(folder, before, **settings), [after, before]
    for _ in range(3):
        expected = rows_of(whole)
        received = rows_of(islice(first, chance.randint(0, len(expected))))
        state = pickle.loads(pickle.dumps(first.state_dict()))
        first = loader(folder, workers[0], **settings)
        first.load_state_dict(state)
        workers.reverse()
        assert received + rows_of(first) == expected


def test_an_interrupted_epoch_goes_on(folder: Path) -> None:
    whole, one = rows_of(loader(folder)), loader(folder)
    received = rows_of(islice(one, 3))
    assert received + rows_of(one) == whole
    assert (one.epoch, one.step) == (1, 0)


@pytest.mark.soak
def test_spawned_workers_open_the_folder_anew(folder: Path) -> None:
    assert rows_of(loader(folder, 1, "spawn")) == rows_of(loader(folder))


def test_a_stream_has_a_state_of_its_own_without_workers(folder: Path) -> None:
    one, other = (SequenceStream(folder, batch=4, rank=0, world=1) for _ in range(2))
    begun = iter(DataLoader(one, batch_size=None))
    head = rows_of(islice(begun, 5))
    other.load_state_dict(one.state_dict())
    assert head + rows_of(iter(other)) == rows_of(loader(folder))
    assert rows_of(begun) == rows_of(loader(folder))[5:]


def test_a_state_of_another_dataset_is_refused(folder: Path, tmp_path: Path) -> None:
    state = loader(folder).state_dict()
    with pytest.raises(StateError, match="fingerprint"):
        loader(write_packed(tmp_path / "other", TOKENS[:50])).load_state_dict(state)
    with pytest.raises(StateError, match="seed 0, but this reader has 5"):
        loader(folder, seed=5).load_state_dict(state)


def test_rank_and_world_are_those_of_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "4")
    found = SequenceStream(folder, batch=4).reading
    assert (found.rank, found.world) == (2, 4)
    given = SequenceStream(folder, batch=4, rank=0, world=1).reading
    assert (given.rank, given.world) == (0, 1)
    with pytest.raises(ValueError, match="rank 2 of 2"):
        SequenceStream(folder, batch=4, world=2)


def test_rank_and_world_are_those_of_torch(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "3")
    torch.distributed.init_process_group("gloo", f"file://{tmp_path / 'meet'}", rank=0, world_size=1)
    try:
        found = SequenceStream(folder, batch=4).reading
    finally:
        torch.distributed.destroy_process_group()
    assert (found.rank, found.world) == (0, 1)


def test_ranks_have_as_many_batches_unless_told_otherwise(folder: Path) -> None:
    for world in (2, 3, 7):
        ranks = [rows_of(loader(folder, rank=rank, world=world)) for rank in range(world)]
        assert len({tuple(map(len, rank)) for rank in ranks}) == 1
        assert {row for rank in ranks for batch in rank for row in batch} == set(range(ROWS))
    assert Counter(row for batch in rows_of(loader(folder)) for row in batch) == Counter(range(ROWS))


def test_labels_are_masked_where_documents_begin(folder: Path) -> None:
    dataset = SequenceDataset(folder, labels=True, mask_starts=True)
    stream = SequenceStream(folder, batch=ROWS, rank=0, world=1, labels=True, mask_starts=True)
    [batch] = stream
    for number in range(ROWS):
        starts = dataset.sequences.starts(number).tolist()
        expected = [-100 if place and place in starts else token for place, token in enumerate(TOKENS[number].tolist())]
        assert dataset[number]["labels"].tolist() == batch["labels"][number].tolist() == expected
        assert dataset[number]["input_ids"].tolist() == TOKENS[number].tolist()
    with pytest.raises(ValueError, match="give labels=True, too"):
        SequenceStream(folder, batch=4, mask_starts=True)


def test_a_full_batch_is_one_tensor(folder: Path) -> None:
    batch = next(iter(loader(folder, 1)))["input_ids"]
    assert batch.shape == (4, LENGTH)
    assert np.array_equal(batch.numpy(), TOKENS[:4])


@pytest.fixture(scope="module")
def padded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_packed(tmp_path_factory.mktemp("padded") / "out", TOKENS, shard_rows=64, padded=True)


def test_padding_is_masked(padded: Path) -> None:
    """By the labels, by the numbers of documents, or by an attention mask."""
    filled = filled_of(ROWS, LENGTH)
    assert {1, LENGTH} <= set(filled)
    whole: dict[str, Any] = {"batch": ROWS, "rank": 0, "world": 1}
    [labelled] = SequenceStream(padded, **whole, labels=True, mask_starts=True)
    [bounded] = SequenceStream(padded, **whole, boundaries=True)
    [plain] = SequenceStream(padded, **whole)
    assert [sorted(each) for each in (labelled, bounded, plain)] == [
        ["input_ids", "labels"],
        ["document_ids", "input_ids", "position_ids"],
        ["attention_mask", "input_ids"],
    ]
    for row, stop in enumerate(filled):
        rest = LENGTH - stop
        starts = [part.start for part in parts_of(row, stop)]
        tokens = TOKENS[row].tolist()
        assert labelled["input_ids"][row].tolist() == tokens
        masked = [-100 if place and place in starts else token for place, token in enumerate(tokens[:stop])]
        assert labelled["labels"][row].tolist() == masked + [-100] * rest
        documents = [sum(start <= place for start in starts) - 1 for place in range(stop)]
        assert bounded["document_ids"][row].tolist() == documents + [-1] * rest
        positions = [place - starts[number] for place, number in enumerate(documents)]
        assert bounded["position_ids"][row].tolist() == positions + list(range(rest))
        assert plain["attention_mask"][row].tolist() == [1] * stop + [0] * rest
    dataset = SequenceDataset(padded, labels=True)
    assert dataset[1]["labels"].tolist() == [*TOKENS[1, : filled[1]].tolist(), *[-100] * (LENGTH - filled[1])]
