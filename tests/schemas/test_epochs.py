"""A stream under torch's own DataLoader has an order of its own in each epoch; what is divided is divided once."""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from schemas.torch_reader import RankSampler, SequenceDataset, SequenceLoader, SequenceStream
from tests.annotation.ports import free_port
from tests.schemas.packed_folders import tokens_of, write_packed

ROWS = 60
BATCH = 4

pytestmark = [
    pytest.mark.filterwarnings("ignore:This DataLoader will create .* worker processes:UserWarning"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_packed(tmp_path_factory.mktemp("packed") / "out", tokens_of(ROWS, 6), shard_rows=64)


def stream(folder: Path, **settings: Any) -> SequenceStream:
    return SequenceStream(folder, **({"batch": BATCH, "rank": 0, "world": 1} | settings))


def loader(folder: Path, workers: int, **options: Any) -> DataLoader:
    options |= {"num_workers": workers, "multiprocessing_context": options.get("context", "fork") if workers else None}
    options.pop("context", None)
    return DataLoader(stream(folder), batch_size=None, **options)


def rows_of(batches: Any) -> list[list[int]]:
    return [batch["input_ids"][:, 0].tolist() for batch in batches]


@pytest.fixture(scope="module")
def epochs(folder: Path) -> list[list[list[int]]]:
    """The batches of five epochs, by the reading alone."""
    reading = stream(folder).reading
    return [[rows.tolist() for rows in reading.batches(epoch)] for epoch in range(5)]


@pytest.mark.parametrize(("workers", "persistent"), [(0, False), (2, False), (3, True)])
def test_each_iteration_is_the_next_epoch(
    folder: Path, epochs: list[list[list[int]]], workers: int, persistent: bool
) -> None:
    one = loader(folder, workers, persistent_workers=persistent)
    assert len(one) == len(epochs[0])
    assert [rows_of(one) for _ in range(3)] == epochs[:3]


@pytest.mark.parametrize(("workers", "persistent"), [(0, False), (2, False), (2, True)])
def test_an_epoch_can_be_named(folder: Path, epochs: list[list[list[int]]], workers: int, persistent: bool) -> None:
    one = loader(folder, workers, persistent_workers=persistent)
    found = []
    for epoch in (0, 1, 3, 3, 2):
        one.dataset.set_epoch(epoch)
        found.append(rows_of(one))
    assert found == [epochs[epoch] for epoch in (0, 1, 3, 3, 2)]
    assert rows_of(one) == epochs[3], "and goes on from there"


@pytest.mark.soak
@pytest.mark.parametrize("persistent", [False, True])
def test_spawned_workers_see_the_epoch_too(folder: Path, epochs: list[list[list[int]]], persistent: bool) -> None:
    one = loader(folder, 1, persistent_workers=persistent, context="spawn")
    found = [rows_of(one), rows_of(one)]
    one.dataset.set_epoch(4)
    assert [*found, rows_of(one)] == [epochs[0], epochs[1], epochs[4]]


def test_all_workers_read_one_epoch_though_an_iteration_was_left(folder: Path, epochs: list[list[list[int]]]) -> None:
    one = loader(folder, 3, prefetch_factor=1)
    for _ in range(4):
        rows_of(islice(one, 1))
    place = one.dataset.place
    assert rows_of(one) == epochs[place.epoch]


def test_a_resumed_place_is_that_of_the_first_iteration_only(folder: Path, epochs: list[list[list[int]]]) -> None:
    one = loader(folder, 2)
    one.dataset.load_state_dict(one.dataset.reading.state(1, 5))
    assert [rows_of(one), rows_of(one)] == [epochs[1][5:], epochs[2]]


def test_a_stream_that_was_pickled_stands_where_it_stood(folder: Path, epochs: list[list[list[int]]]) -> None:
    one = stream(folder)
    one.set_epoch(1)
    other = pickle.loads(pickle.dumps(one))
    one.set_epoch(3)
    read = DataLoader(other, batch_size=None, num_workers=1, multiprocessing_context="fork")
    assert [rows_of(read), rows_of(read)] == epochs[1:3]


def test_a_loader_resumes_with_another_world_and_batch(folder: Path) -> None:
    """The rows that two ranks have read are not read again by three."""
    two = [SequenceLoader(stream(folder, rank=rank, world=2, seed=1)) for rank in range(2)]
    for each in two:
        each.set_epoch(1)
    before = [row for each in two for batch in rows_of(islice(each, 3)) for row in batch]
    assert two[0].state_dict() == two[1].state_dict()
    three = [SequenceLoader(stream(folder, rank=rank, world=3, batch=2, seed=1, even="none")) for rank in range(3)]
    after: list[int] = []
    for each in three:
        each.load_state_dict(two[0].state_dict())
        first = next(batches := iter(each))
        other = SequenceLoader(stream(folder, rank=each.stream.reading.rank, world=3, batch=2, seed=1, even="none"))
        other.load_state_dict(each.state_dict())
        rest = rows_of(batches)
        assert rows_of(other) == rest, "a state that is saved afterwards knows of the rows before"
        after += [row for batch in [*rows_of([first]), *rest] for row in batch]
    assert sorted(before + after) == list(range(ROWS))


@pytest.fixture
def accelerate() -> Iterator[Any]:
    data_loader = pytest.importorskip("accelerate.data_loader")
    state = pytest.importorskip("accelerate.state")
    yield data_loader
    state.GradientState._reset_state()
    state.PartialState._reset_state()


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("kind", ["sampler", "stream", "dispatched stream"])
def test_accelerate_divides_nothing_a_second_time(accelerate: Any, folder: Path, kind: str, workers: int) -> None:
    def prepared(rank: int, world: int) -> Any:
        options = {"num_workers": workers, "multiprocessing_context": "fork" if workers else None}
        if kind == "sampler":
            dataset = SequenceDataset(folder)
            sampler = RankSampler(dataset, batch=BATCH, rank=rank, world=world)
            given = DataLoader(dataset, batch_sampler=sampler, **options)
        else:
            given = DataLoader(stream(folder, rank=rank, world=world), batch_size=None, **options)
        if kind == "dispatched stream":
            cpu = torch.device("cpu")
            return accelerate.prepare_data_loader(given, device=cpu, put_on_device=True, dispatch_batches=True)
        return accelerate.prepare_data_loader(given, num_processes=2, process_index=0)

    with pytest.raises(RuntimeError, match="which would divide it a second time: rank 0 of 2 reads its own share"):
        list(prepared(0, 2))
    if kind != "stream":  # Accelerate cannot divide whole batches of a stream where it does not dispatch them
        assert rows_of(prepared(0, 1)), "what was not divided may be"


RANKS = """
import sys
from accelerate import Accelerator
from schemas.torch_reader import SequenceLoader, SequenceStream
accelerator = Accelerator(cpu=True)
loader = SequenceLoader(SequenceStream(sys.argv[1], batch=4))
prepared = accelerator.prepare(loader)
rows = [row for batch in prepared for row in batch["input_ids"][:, 0].tolist()]
print(accelerator.num_processes, *rows)
"""


@pytest.mark.soak
def test_two_processes_of_accelerate_read_each_row_once(folder: Path) -> None:
    """Started as its launcher starts them."""
    port = str(free_port())
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "ACCELERATE_USE_CPU": "true"}
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", RANKS, str(folder)],
            env=os.environ | shared | {"RANK": rank, "LOCAL_RANK": rank, "GLOO_SOCKET_IFNAME": "lo"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in ("0", "1")
    ]
    said = [list(map(int, run.communicate()[0].split())) for run in runs]
    assert [each[0] for each in said] == [2, 2]
    assert sorted(said[0][1:] + said[1][1:]) == list(range(ROWS))
