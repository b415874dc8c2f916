"""Builds and splits columns of dialogues without a loop over rows."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.preference import MESSAGES

MESSAGE: pa.StructType = MESSAGES.value_type
ASSISTANT = "assistant"

Ints = npt.NDArray[np.int64]


def message(texts: pa.LargeStringArray, role: str = ASSISTANT) -> pa.StructArray:
    """Each text as one message: {role, content}."""
    roles = pa.repeat(pa.scalar(role, pa.string()), len(texts))
    return pa.StructArray.from_arrays([roles, texts], fields=list(MESSAGE))


def single_message(texts: pa.LargeStringArray, role: str = ASSISTANT) -> pa.ListArray:
    """Each text as a dialogue of one message."""
    return pa.ListArray.from_arrays(
        pa.array(np.arange(len(texts) + 1, dtype=np.int32)), message(texts, role), type=MESSAGES
    )


def append_answers(prompts: pa.ListArray, texts: pa.LargeStringArray) -> pa.ListArray:
    """Each dialogue with one more assistant message at its end."""
    bounds, turns = _parts(prompts)
    lengths = np.diff(bounds)
    offsets = np.zeros(len(prompts) + 1, np.int64)
    np.cumsum(lengths + 1, out=offsets[1:])
    chosen = np.empty(offsets[-1], np.int64)
    last = offsets[1:] - 1
    inner = np.ones(offsets[-1], bool)
    inner[last] = False
    chosen[inner] = np.arange(len(turns))
    chosen[last] = len(turns) + np.arange(len(texts))
    roles = pa.concat_arrays([turns.field("role"), pa.repeat(pa.scalar(ASSISTANT, pa.string()), len(texts))])
    contents = pa.concat_arrays([turns.field("content"), texts])
    joined = pa.StructArray.from_arrays(
        [roles.take(pa.array(chosen)), contents.take(pa.array(chosen))], fields=list(MESSAGE)
    )
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), joined, type=MESSAGES)


def roles(dialogues: pa.ListArray) -> tuple[Ints, pa.StringArray]:
    """The offset of each dialogue among all messages (and the end), and the role of each message."""
    bounds, turns = _parts(dialogues)
    return bounds, turns.field("role")


def alternates(dialogues: pa.ListArray) -> npt.NDArray[np.bool_]:
    """Whether user and assistant alternate in each dialogue, from a user turn to a user turn; a system message may come
    first."""
    bounds, named = roles(dialogues)
    lengths = np.diff(bounds)
    row = np.repeat(np.arange(len(dialogues)), lengths)
    place = np.arange(len(named)) - bounds[:-1][row]
    system = pc.equal(named, "system").to_numpy(zero_copy_only=False)
    leads = np.zeros(len(dialogues), bool)
    leads[row[(place == 0) & system]] = True
    turn = place - leads[row]
    user = pc.equal(named, "user").to_numpy(zero_copy_only=False)
    assistant = pc.equal(named, ASSISTANT).to_numpy(zero_copy_only=False)
    right = (turn < 0) | np.where(turn % 2 == 0, user, assistant)
    out: npt.NDArray[np.bool_] = (lengths - leads) % 2 == 1
    out[row[~right]] = False
    return out


def _parts(dialogues: pa.ListArray) -> tuple[Ints, pa.StructArray]:
    """The offsets, starting at 0, and the messages between the first and the last offset, without gaps."""
    offsets = dialogues.offsets.to_numpy().astype(np.int64)
    first = int(offsets[0]) if len(offsets) else 0
    turns = dialogues.flatten()
    if len(turns) != offsets[-1] - first:
        raise ValueError("a null list hides messages")
    fields = [turns.field("role").cast(pa.string()), turns.field("content").cast(pa.large_string())]
    return offsets - first, pa.StructArray.from_arrays(fields, fields=list(MESSAGE))
