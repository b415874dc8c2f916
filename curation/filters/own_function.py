"""Loads and calls a user's own function, and checks all that it returns. Every fault is one sentence.

The function is loaded from its source text, not from the import path, so that it can be sent to any worker.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import cache
from hashlib import sha256
from traceback import extract_tb
from types import CodeType, ModuleType
from typing import Any, NoReturn, TypeGuard

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import UserError
from schemas.settings import unknown

SAMPLE = 4
"""How many documents of a batch the function gets again, twice."""
CLOSE = 1e-6
"""The largest relative difference that other documents of a batch may make: libraries add numbers in another order."""
_SHOWN = 300


class FunctionError(Exception):
    """The function failed, or returned something else than signals, on some documents."""

    def __init__(self, what: str, why: str):
        super().__init__(what, why)
        self.what = what
        self.why = why

    def on(self, documents: str) -> str:
        """The end of a sentence that begins with the function."""
        return f"{self.what} {documents}: {self.why}"


class OwnFunction:
    """A function of a source text, which measures a table of documents.

    ``file`` and ``name`` say in messages where the function is; ``signals`` are the columns that it has to return.
    """

    def __init__(self, source: str, file: str, name: str, signals: Sequence[str]):
        self._function = _loaded(source, file, name)
        self._file = file
        self._named = f"the function {name} of {file}"
        self._signals = tuple(signals)

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The signals of a batch of RECORDS, as float64; NaN becomes null.

        Some documents are measured again. Raises UserError, which names the document, if the function fails, returns
        anything but a number or null for each document and signal, or if the signals of a document differ when they
        are measured again.
        """
        try:
            found = self._call(batch)
        except FunctionError as error:
            raise self._locate(batch, error) from error
        self._check_again(batch, found)
        return found

    def _call(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        try:
            with _users_code():
                found = self._function(_read_only(batch))
        except BaseException as error:
            if not isinstance(error, KeyboardInterrupt | MemoryError):
                raise FunctionError("fails on", _said(error, self._file)) from error
            raise
        return self._checked(found, batch)

    def _checked(self, found: Any, batch: pa.RecordBatch) -> pa.RecordBatch:
        """What the function returned, as a batch of numbers. Raises FunctionError if it is anything else."""
        if not isinstance(found, pa.Table | pa.RecordBatch):
            raise FunctionError(
                f"returns a {type(found).__name__} for", "return a pyarrow Table with a column per signal"
            )
        if found.num_rows != len(batch):
            raise FunctionError(f"returns {found.num_rows} rows, not {len(batch)}, for", "return one for each document")
        names = found.schema.names
        for name in self._signals:
            if names.count(name) != 1:
                how = "no column" if name not in names else "more than one column"
                raise FunctionError(f"returns {how} {name} for", f"its columns are {', '.join(names) or 'none'}")
        for name in names:
            if name not in self._signals:
                raise FunctionError(
                    f"returns the column {name!r}, which the recipe does not name, for",
                    "add it to measures, or leave it out",
                )
        columns = [self._numbers(name, found[name]) for name in self._signals]
        return pa.RecordBatch.from_arrays(columns, list(self._signals))

    def _numbers(self, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Array:
        kind = column.type
        plain = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
        if not plain and not pa.types.is_null(kind):
            raise FunctionError(f"returns a {name} of type {kind} for", "return numbers, true or false, or null")
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        if pa.types.is_boolean(kind):
            column = column.cast(pa.int8())
        numbers = pc.cast(column, pa.float64(), safe=False)
        if pc.any(pc.is_inf(numbers)).as_py():
            raise FunctionError(f"returns an infinite {name} for", "return a number or null")
        return pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)

    def _locate(self, batch: pa.RecordBatch, error: FunctionError) -> UserError:
        """The error for the first document on which the function fails alone, or else for the whole batch."""
        for row in range(len(batch)):
            try:
                self._call(batch.slice(row, 1))
            except FunctionError as found:
                return UserError(f"{self._named} {found.on(_document(batch, row))}")
        together = f"{len(batch)} documents together, but not when each is alone (the first is {_document(batch, 0)})"
        return UserError(f"{self._named} {error.on(together)}")

    def _check_again(self, batch: pa.RecordBatch, found: pa.RecordBatch) -> None:
        rows = np.unique(np.linspace(0, len(batch) - 1, SAMPLE).astype(np.int64))[::-1]
        sample, before = batch.take(pa.array(rows)), found.take(pa.array(rows))
        try:
            again, once_more = self._call(sample), self._call(sample)
        except FunctionError as error:
            raise self._locate(sample, error) from error
        for name in self._signals:
            for row in range(len(rows)):
                first, second, third = (each[name][row].as_py() for each in (before, again, once_more))
                if second != third:
                    raise UserError(
                        f"{self._named} gives other results when it is called again: {name} of "
                        f"{_document(sample, row)} was {second}, then {third}. Use no random numbers, no time, and "
                        "nothing that one call leaves for the next"
                    )
                if not _is_close(first, second):
                    raise UserError(
                        f"{self._named} gives {_document(sample, row)} the {name} {first} in one batch and {second} in "
                        "another: a signal may depend on its own document only, and rows keep their order"
                    )


class _Caller(threading.local):
    """Whether this thread runs code of the user's: the process in which it does, else None."""

    process: int | None = None


_caller = _Caller()
_end_process = os._exit


def _exit(status: int) -> NoReturn:
    """As os._exit, but code of the user's raises SystemExit: the process would end without a word."""
    if _caller.process == os.getpid():  # not in a process that this code started
        raise SystemExit(f"it calls os._exit({status}), which would end gristmill: raise an error instead")
    _end_process(status)


@contextmanager
def _users_code() -> Iterator[None]:
    """The block is code of the user's: what it prints goes to standard error, and it cannot end the process."""
    os._exit = _exit  # for good: another thread may be in such a block, too
    _caller.process = os.getpid()
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _caller.process = None


def _read_only(batch: pa.RecordBatch) -> pa.Table:
    """A copy of a batch in memory that cannot be written to: no function changes the texts that it judges."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return pa.ipc.open_stream(pa.py_buffer(sink.getvalue().to_pybytes())).read_all()


def _is_close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= CLOSE * max(abs(one), abs(other), CLOSE)


def _document(batch: pa.RecordBatch, row: int) -> str:
    held = batch.slice(row, 1).drop_columns(["text"]).to_pylist()[0]
    url = f", {held['url']}" if held.get("url") else ""
    return f"the document {held['doc_id']} ({held['file']} at {held['offset']}{url})"


def _said(error: BaseException, file: str) -> str:
    """The kind, the message and the line of an error in a user's file, without line feeds."""
    line = next((frame.lineno for frame in reversed(extract_tb(error.__traceback__)) if frame.filename == file), None)
    if isinstance(error, SyntaxError):
        line = error.lineno
    message = _message(error)
    message = message if len(message) <= _SHOWN else f"{message[:_SHOWN]}..."
    place = "" if line is None else f" (line {line})"
    return f"{type(error).__name__}{': ' if message else ''}{message}{place}"


def _message(error: BaseException) -> str:
    try:
        return " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    except BaseException as fault:  # the error's class is the user's, too
        if not isinstance(fault, KeyboardInterrupt | MemoryError):
            return f"its message cannot be read ({type(fault).__name__})"
        raise


@cache
def _loaded(source: str, file: str, name: str) -> Callable[[pa.Table], Any]:
    """The function ``name`` of a source text. Raises UserError if the source cannot be run or has no such function."""
    module = ModuleType(f"own_{sha256(source.encode()).hexdigest()[:16]}")
    module.__file__ = file
    sys.modules[module.__name__] = module  # dataclasses and pickle look their module up
    try:
        with _users_code():
            exec(_compiled(source, file), module.__dict__)
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt | MemoryError | UserError):
            hint = ""
            if isinstance(error, ImportError):
                hint = (
                    "; a step's file cannot import files beside it, so install what it imports, or put it in the file"
                )
            raise UserError(f"{file} cannot be loaded: {_said(error, file)}{hint}") from error
        raise
    found = vars(module).get(name)
    if not _is_function(found):
        functions = [key for key, value in vars(module).items() if _is_function(value) and not key.startswith("_")]
        raise UserError(unknown(f"{file} has no function", name, functions or ["(it defines none)"]))
    return found


def _is_function(value: object) -> TypeGuard[Callable[[pa.Table], Any]]:
    return callable(value) and not isinstance(value, type)


def _compiled(source: str, file: str) -> CodeType:
    """The code of a source text. Raises UserError for an expression that is too deep for Python's parser, which then
    says that memory is missing."""
    try:
        return compile(source, file, "exec")
    except MemoryError as error:
        raise UserError(f"{file} cannot be loaded: an expression in it is nested too deeply: divide it") from error
