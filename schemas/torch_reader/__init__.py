"""Packed sequences for PyTorch: a dataset of rows with a sampler, or a stream of whole batches that resumes exactly.

Needs the extra ``torch``. If rank and world are not given, they come from torch.distributed if it is initialised, else
from the environment (RANK and WORLD_SIZE, as set by torchrun); otherwise they are 0 and 1.

A row or a batch is a dict of int64 tensors of shape (length,) or (batch, length):

- ``input_ids``.
- With ``labels=True``: ``labels``, a copy of ``input_ids`` (models shift labels themselves). With ``mask_starts=True``
  as well, labels are -100 where a document begins within a row, so that no model learns to predict a document's first
  token from the end of another document.
- With ``boundaries=True``: ``document_ids``, which number the documents of a row from 0, and ``position_ids``, which
  number the tokens of each document in this row from 0.

Rows of best-fit packing may end with padding. There labels are -100, ``document_ids`` are -1, and ``position_ids``
begin with 0 again, as if the padding were a document. With neither ``labels`` nor ``boundaries``, the rows of such a
folder also have ``attention_mask``, which is 0 for padding and 1 elsewhere.

``even`` says how to divide an epoch's last rows, see `division`. By default a world of one rank reads each row once. A
larger world pads: every rank has the same number of batches, and fewer than ``world`` rows of an epoch are read twice.

Any number of workers and ranks, with any batch size, can resume a state: rows of the epoch that any rank has read are
not read again. Every rank must load the same state.

These classes already divide the rows among the ranks. Accelerate's ``prepare`` leaves a `SequenceLoader` unchanged; a
DataLoader that Accelerate would divide a second time raises RuntimeError.
"""

from importlib.util import find_spec

if find_spec("torch") is None:
    raise ImportError("schemas.torch_reader needs PyTorch: install gristmill[torch]")

from schemas.torch_reader.dataset import RankSampler, SequenceDataset
from schemas.torch_reader.stream import SequenceLoader, SequenceStream

__all__ = ["RankSampler", "SequenceDataset", "SequenceLoader", "SequenceStream"]
