"""Tokenizers: opens a Hugging Face tokenizers file (JSON) or a SentencePiece model, and encodes plain text with it.

A text is data: the string ``</s>`` in a text is four characters, and never becomes the token that ends documents.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import sentencepiece
import tokenizers

from curation.tokenizers.expansion import check_expansion, check_model
from schemas.errors import UserError
from schemas.named_files import read_named
from schemas.packed import TokenizerFile, TokenType, token_type

END_TOKENS = ("</s>", "<|endoftext|>", "<|end_of_text|>", "<eos>")
"""The usual names of the token that ends a document."""

MOST_TOKENS = 1 << 24
"""The limit of a vocabulary. The largest known vocabularies have a sixtieth of this."""

MOST_BYTES = 256 << 20
"""The limit of a tokenizer's file. The largest known files have an eighth of this."""

Kind = Literal["tokenizers", "sentencepiece"]
FILES: dict[Kind, str] = {"tokenizers": "tokenizer.json", "sentencepiece": "tokenizer.model"}
"""The usual file name of each kind."""

Tokens = npt.NDArray[Any]
Spans = npt.NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class TokenizerReport(TokenizerFile):
    """A tokenizer as the manifest of packed sequences describes it."""

    kind: str
    vocabulary: int
    end_token: str
    end_id: int
    begin_token: str | None = None
    begin_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Tokenizer:
    """A tokenizer's file as it was read, and what packing needs to know about it. ``vocabulary`` is its largest token
    + 1; ``special`` are the tokens that no text may become, including those that begin and end documents; ``controls``
    are the names of special tokens that are longer than a character."""

    kind: Kind
    content: bytes
    vocabulary: int
    end_token: str
    end_id: int
    special: frozenset[int]
    controls: tuple[str, ...] = ()
    begin_token: str | None = None
    begin_id: int | None = None
    unknown_id: int | None = None

    @property
    def token_type(self) -> TokenType:
        return token_type(self.vocabulary)

    @property
    def file(self) -> str:
        """The name of its copy in a folder of packed sequences."""
        return FILES[self.kind]

    def report(self) -> TokenizerReport:
        """The tokenizer as the manifest describes it."""
        return TokenizerReport(
            kind=self.kind,
            file=self.file,
            sha256=hashlib.sha256(self.content).hexdigest(),
            vocabulary=self.vocabulary,
            end_token=self.end_token,
            end_id=self.end_id,
            begin_token=self.begin_token,
            begin_id=self.begin_id,
        )

    def encoder(self) -> "Encoder":
        """A new encoder for one thread: threads that share an encoder wait for each other at its cache."""
        return Encoder(self, _ENGINES[self.kind](self.content))


def open_tokenizer(path: Path, end_token: str | None = None, begin_token: str | None = None) -> Tokenizer:
    """The tokenizer in a file, whose kind its content shows, or in a folder that holds such a file under its usual
    name.

    ``end_token`` names the token that ends documents, ``begin_token`` a token that begins documents (default: no such
    token). Raises UserError for a file that is neither kind, and if the end token is missing or ambiguous;
    NamedFileError for a file of more than MOST_BYTES, a FIFO or a device.
    """
    path = _file(path)
    try:
        content = read_named(path, MOST_BYTES, "a tokenizer.json or a SentencePiece model")
    except OSError as error:
        raise UserError(f"the tokenizer {path} cannot be read: {error.strerror}") from error
    if content.lstrip()[:1] == b"{":
        special, unknown = _specials(path, content)
        check_expansion(path, json.loads(content))
        return _make_tokenizer("tokenizers", path, content, (end_token, begin_token), special, unknown)
    try:
        model = _SentencePiece(content).model if content else None
    except RuntimeError:
        model = None
    if model is None:
        raise UserError(f"{path} is neither a tokenizer.json of tokenizers nor a SentencePiece model: give such a file")
    check_model(path, content)
    control = {token for token in range(len(model)) if model.is_control(token)}
    if end_token is None and model.eos_id() >= 0:
        end_token = model.id_to_piece(model.eos_id())
    return _make_tokenizer("sentencepiece", path, content, (end_token, begin_token), control, model.unk_id())


def _file(path: Path) -> Path:
    """The tokenizer's file: the path itself, or a file in it if the path is a folder. A tokenizer.json takes
    precedence, as in transformers."""
    if not path.is_dir():
        return path
    for name in FILES.values():
        if (path / name).is_file():
            return path / name
    raise UserError(f"{path} holds no {' or '.join(FILES.values())}: name the folder or file of a tokenizer")


def _make_tokenizer(
    kind: Kind,
    path: Path,
    content: bytes,
    named: tuple[str | None, str | None],
    special: set[int],
    unknown: int | None,
) -> Tokenizer:
    """``named`` are the tokens that end and begin documents."""
    with _library_errors(f"the tokenizer {path} cannot be used"):
        vocabulary = _ENGINES[kind](content).vocabulary()
    if not 0 < max(vocabulary.values(), default=-1) + 1 <= MOST_TOKENS:
        raise UserError(
            f"the tokenizer {path} cannot be used: its largest token id is {max(vocabulary.values(), default=-1):,}, "
            f"and token ids may go from 0 to {MOST_TOKENS - 1:,}"
        )
    end, begin = named[0] or _end_token(path, vocabulary), named[1]
    for name, which in ((end, "end token"), (begin, "begin token")):
        if name is not None and name not in vocabulary:
            raise UserError(f"{path} has no token {name}: name a token of its vocabulary as the {which}")
    special = special | {vocabulary[name] for name in (end, begin) if name is not None}
    return Tokenizer(
        kind=kind,
        content=content,
        vocabulary=max(vocabulary.values()) + 1,
        end_token=end,
        end_id=vocabulary[end],
        special=frozenset(special),
        controls=tuple(sorted(name for name, number in vocabulary.items() if number in special and len(name) > 1)),
        begin_token=begin,
        begin_id=None if begin is None else vocabulary[begin],
        unknown_id=unknown,
    )


def _end_token(path: Path, vocabulary: dict[str, int]) -> str:
    found = [name for name in END_TOKENS if name in vocabulary]
    if not found:
        raise UserError(f"{path} has none of {', '.join(END_TOKENS)} to end a document: name another end token")
    if len(found) > 1:
        raise UserError(f"{path} has {' and '.join(found)}: name one of them as the end token")
    return found[0]


def _specials(path: Path, content: bytes) -> tuple[set[int], int | None]:
    """The special tokens of a tokenizers file, without those that texts may become (the unknown token, and single
    characters); and the unknown token, if there is one."""
    try:
        table = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid JSON: give the tokenizer.json as it was saved") from error
    model = table.get("model")
    if not isinstance(model, dict) or "vocab" not in model:
        raise UserError(f"{path} holds no tokenizer: give the tokenizer.json of the same folder")
    try:
        tokens = [token for token in table.get("added_tokens") or [] if token["special"]]
        added = {int(token["id"]): str(token["content"]) for token in tokens}
        unknown = {number for number, name in added.items() if name == model.get("unk_token")} | {model.get("unk_id")}
        special = {number for number, name in added.items() if len(name) > 1 and number not in unknown}
        return special, _unknown(model, added)
    except (TypeError, KeyError, ValueError) as error:
        raise UserError(
            f"the added_tokens, unk_token or unk_id of {path} are not as tokenizers writes them: give the file as it "
            "was saved"
        ) from error


def _unknown(model: dict[str, Any], added: dict[int, str]) -> int | None:
    if model.get("unk_id") is not None:
        return int(model["unk_id"])
    name = model.get("unk_token")
    known = {**(model["vocab"] if isinstance(model["vocab"], dict) else {}), **{v: k for k, v in added.items()}}
    return known.get(name) if name is not None else None


@contextmanager
def _library_errors(problem: str) -> Iterator[None]:
    """Turns errors of the tokenizers library into UserError, with ``problem`` before the library's message.

    The library raises Exception itself, and PanicException, which is not an Exception and cannot be imported.
    """
    try:
        yield
    except BaseException as error:
        if type(error) is Exception or type(error).__name__ == "PanicException":
            raise UserError(f"{problem}: {' '.join(str(error).split())}") from error
        raise


class _Engine(Protocol):
    """The interface to one of the two libraries."""

    def vocabulary(self) -> dict[str, int]: ...

    def encode(self, texts: Sequence[str]) -> tuple[Tokens, npt.NDArray[np.int64]]:
        """The tokens of all texts, one after the other (int32), and the number of tokens of each text."""
        ...

    def spans(self, text: str) -> Spans:
        """The tokens of a text, each with its start and end in characters: shape (tokens, 3)."""
        ...

    @property
    def decodes(self) -> bool:
        """Whether the tokenizer can decode tokens."""
        ...

    def decode(self, tokens: Sequence[int]) -> str: ...


class _HuggingFace:
    def __init__(self, content: bytes):
        self.tokenizer = tokenizers.Tokenizer.from_str(content.decode())
        self.tokenizer.encode_special_tokens = True  # sic: "as plain text"
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()

    def vocabulary(self) -> dict[str, int]:
        found: dict[str, int] = self.tokenizer.get_vocab(with_added_tokens=True)
        return found

    def encode(self, texts: Sequence[str]) -> tuple[Tokens, npt.NDArray[np.int64]]:
        with _library_errors("the tokenizer fails at a text"):
            encoded = self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        lengths = np.fromiter(map(len, encoded), np.int64, len(texts))
        return np.fromiter(chain.from_iterable(each.ids for each in encoded), np.int32, lengths.sum()), lengths

    def spans(self, text: str) -> Spans:
        with _library_errors("the tokenizer fails at a text"):
            encoded = self.tokenizer.encode(text, add_special_tokens=False)
        return _spans(encoded.ids, encoded.offsets)

    @property
    def decodes(self) -> bool:
        return self.tokenizer.decoder is not None

    def decode(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=False))


class _SentencePiece:
    def __init__(self, content: bytes):
        self.model = sentencepiece.SentencePieceProcessor(model_proto=content)

    def vocabulary(self) -> dict[str, int]:
        return {self.model.id_to_piece(token): token for token in range(len(self.model))}

    def encode(self, texts: Sequence[str]) -> tuple[Tokens, npt.NDArray[np.int64]]:
        encoded = self.model.encode(list(texts), return_type="numpy", num_threads=1)
        lengths = np.fromiter(map(len, encoded), np.int64, len(texts))
        return np.concatenate([np.empty(0, np.int32), *encoded]), lengths

    def spans(self, text: str) -> Spans:
        found = self.model.encode(text, return_type="offset_mapping")
        return _spans(found["ids"], found["offsets"])

    @property
    def decodes(self) -> bool:
        return True

    def decode(self, tokens: Sequence[int]) -> str:
        return str(self.model.decode(list(tokens)))


def _spans(tokens: Sequence[int], offsets: Sequence[tuple[int, int]]) -> Spans:
    found = np.empty((len(tokens), 3), np.int32)
    found[:, 0] = tokens
    found[:, 1:] = np.fromiter(chain.from_iterable(offsets), np.int32, 2 * len(tokens)).reshape(-1, 2)
    return found


_ENGINES: dict[Kind, type[_HuggingFace] | type[_SentencePiece]] = {
    "tokenizers": _HuggingFace,
    "sentencepiece": _SentencePiece,
}


class Encoder:
    """Encodes texts as tokens, in one thread."""

    def __init__(self, tokenizer: Tokenizer, engine: _Engine):
        self._tokenizer = tokenizer
        self._engine = engine
        self._special = np.zeros(tokenizer.vocabulary, np.bool_)
        self._special[list(tokenizer.special)] = True

    def documents(self, texts: Sequence[str]) -> tuple[Tokens, npt.NDArray[np.int64]]:
        """The tokens of all texts (uint16 or int32), each text with the end token after it and the begin token, if any,
        before it; and the number of tokens of each text, these included.

        A text without tokens gets no begin and end token either, so its number is 0.
        """
        tokens, lengths = self.plain(texts)
        begin = self._tokenizer.begin_id
        held = lengths > 0
        lengths[held] += 1 if begin is None else 2
        stops = np.cumsum(lengths)[held]
        marked = np.empty(lengths.sum(), self._tokenizer.token_type)
        inside = np.ones(len(marked), np.bool_)
        inside[stops - 1] = False
        if begin is not None:
            inside[stops - lengths[held]] = False
            marked[stops - lengths[held]] = begin
        marked[inside] = tokens
        marked[stops - 1] = self._tokenizer.end_id
        return marked, lengths

    def text(self, tokens: Tokens) -> str | None:
        """Decodes a document's tokens, without the begin and end tokens. None if the tokenizer cannot decode."""
        if not self._engine.decodes:
            return None
        first = 0 if self._tokenizer.begin_id is None else 1
        return self._engine.decode(tokens[first:-1].tolist())

    def places(self, text: str) -> npt.NDArray[np.int32]:
        """The tokens of a text as `plain` gives them, each with its first character and the character after its last
        one, in a row: shape (tokens, 3). Of the tokens that make up one character, some have no character."""
        found = self._engine.spans(text)
        if not self._special[found[:, 0]].any():
            return found
        pieces, start = [], 0
        for piece in self._pieces(text):
            pieces.append(self.places(piece) + np.array([0, start, start], np.int32))
            start += len(piece)
        return np.concatenate(pieces)

    def plain(self, texts: Sequence[str]) -> tuple[Tokens, npt.NDArray[np.int64]]:
        """Encodes texts without special tokens, even if the tokenizer would match them; most texts hold no such string,
        and cost no extra time."""
        tokens, lengths = self._engine.encode(texts)
        if not self._special[tokens].any():
            return tokens, lengths
        rows = np.split(tokens, np.cumsum(lengths)[:-1])
        rows = [
            self.plain(self._pieces(text))[0] if self._special[row].any() else row
            for text, row in zip(texts, rows, strict=True)
        ]
        return np.concatenate(rows), np.array([len(row) for row in rows], np.int64)

    def cutting(self) -> tuple[str, ...]:
        """The strings that would become special tokens, so that texts are cut inside them."""
        names = self._tokenizer.controls
        return tuple(name for name in names if self._special[self._engine.encode([name, f"a{name}b"])[0]].any())

    def _pieces(self, text: str) -> list[str]:
        """The pieces of a text that is cut inside each string that would become a special token."""
        found = self._engine.spans(text)
        spans = found[self._special[found[:, 0]], 1:].tolist()
        for start, end in spans:
            if end - start < 2:
                raise UserError(
                    f"the tokenizer makes a special token of {text[start:end]!r} in a text: "
                    "choose a tokenizer whose special tokens are longer than one character"
                )
        cuts = [0, *(start + 1 for start, _ in spans), len(text)]
        return [text[start:end] for start, end in pairwise(cuts)]


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Stops tokenizers from starting threads of its own: each batch is encoded by the thread that asks for it."""
    before = os.environ.get("TOKENIZERS_PARALLELISM")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    try:
        yield
    finally:
        os.environ.pop("TOKENIZERS_PARALLELISM")
        if before is not None:
            os.environ["TOKENIZERS_PARALLELISM"] = before
