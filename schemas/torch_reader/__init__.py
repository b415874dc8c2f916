"""Packed sequences for PyTorch: a dataset of rows with a sampler, or a stream of whole batches that resumes exactly.

Needs the extra ``torch``. Rank and world are those that are given, else those of torch.distributed where it is
initialised, else those of the environment (RANK, WORLD_SIZE, as torchrun sets them), else 0 of 1.

A row or a batch is a dict of int64 tensors of shape (length,) or (batch, length): ``input_ids``; with ``labels=True``
``labels``, a copy of them (models shift them on their own), and with ``mask_starts=True`` too, -100 in them where a
document begins within a row, so that no document's first token is learnt from the end of another; with
``boundaries=True`` ``document_ids``, which counts the documents of a row from 0, and ``position_ids``, which counts the
tokens of each document in this row from 0.

``even`` says what becomes of an epoch's last rows, see `division`. By default a world of one reads each row once, and a
larger one pads: every rank has as many batches, and fewer than ``world`` rows of an epoch are read twice.

A state is resumed by any number of workers, of ranks, and by any batch size: the rows that all ranks together have read
of the epoch are not read again. Every rank loads the same state.

What these classes read is divided among the ranks already. Accelerate's ``prepare`` leaves a `SequenceLoader` as it is;
a DataLoader that it would divide a second time refuses to be read.
"""

from importlib.util import find_spec

if find_spec("torch") is None:
    raise ImportError("schemas.torch_reader needs PyTorch: install gristmill[torch]")

from schemas.torch_reader.dataset import RankSampler, SequenceDataset
from schemas.torch_reader.loader import SequenceLoader
from schemas.torch_reader.stream import SequenceStream

__all__ = ["RankSampler", "SequenceDataset", "SequenceLoader", "SequenceStream"]
