"""Gathers the texts of the other installed Python packages: licences, readmes, descriptions and docstrings."""

import ast
import gzip
import json
import re
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import Distribution, PackagePath, distributions
from multiprocessing import get_context
from pathlib import Path

from schemas.module_path import SafeForChildren

KINDS = ("licence", "readme", "description", "docstring")
MIN_DOCSTRING = 300
"""Least length in characters; shorter docstrings are notes, not documents, and are left out."""

_LICENCE = re.compile(r"(licen[cs]e|copying|notice|authors)", re.IGNORECASE)
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

Row = dict[str, str]


def write_packages(folder: Path) -> None:
    """Writes ``<kind>.jsonl.gz`` into the folder: the same packages give the same bytes."""
    found = sorted(
        (one for one in distributions() if one.metadata["Name"] != "gristmill"),
        key=lambda one: (one.metadata["Name"].lower(), one.version),
    )
    texts: dict[str, list[bytes]] = {kind: [] for kind in KINDS}
    with SafeForChildren(), ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for rows in pool.map(_gather, found):
            for row in rows:
                texts[row["source"]].append(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    for kind, lines in texts.items():
        (folder / f"{kind}.jsonl.gz").write_bytes(gzip.compress(b"".join(lines), compresslevel=6, mtime=0))


def _gather(package: Distribution) -> list[Row]:
    return list(package_texts(package))


def package_texts(package: Distribution) -> Iterator[Row]:
    """One row per text, in the order of the package's sorted file list."""
    about = package.metadata.json
    name = str(about["name"])
    origin = {"package": name, "version": package.version}
    description = str(about.get("description", ""))
    if description.strip():
        home = home_page(about.get("project_url", []), str(about.get("home_page", "")))
        yield {"doc_id": f"{name}/description", "text": description, "url": home, "source": "description", **origin}
    for path in sorted(package.files or [], key=str):
        for doc_id, source, text in _file_texts(path):
            yield {"doc_id": doc_id, "text": text, "source": source, **origin}


def home_page(project_urls: Iterable[str], home: str) -> str:
    """The page that a package's metadata names as its home, or an empty string.

    >>> home_page(["Source, https://code.example/mill", "Homepage, https://mill.example"], "")
    'https://mill.example'
    """
    labelled = (entry.partition(", ") for entry in project_urls)
    return home or next((url for label, _, url in labelled if label.lower() in ("homepage", "home-page", "home")), "")


def _file_texts(path: PackagePath) -> Iterator[tuple[str, str, str]]:
    """(doc_id, kind, text) of the texts in an installed file."""
    if ".." in path.parts or any("test" in part for part in path.parts):
        return
    name = str(path)
    if path.suffix == ".py":
        for qualified, text in docstrings(_read(path)):
            yield f"{name}:{qualified}", "docstring", text
    elif _LICENCE.match(path.name) and path.suffix != ".pyc":
        yield name, "licence", _read(path)
    elif path.suffix in (".md", ".rst") or path.name.lower().startswith("readme"):
        yield name, "readme", _read(path)


def _read(path: PackagePath) -> str:
    content = Path(str(path.locate())).read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def docstrings(source: str) -> Iterator[tuple[str, str]]:
    """(qualified name, docstring) of a module and of every class and function in it, from the top down.

    >>> list(docstrings('def grind(): "' + 300 * "a" + '"'))[0][0]
    'grind'
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # odd escapes are the packages' own affair
        try:
            module = ast.parse(source)
        except SyntaxError:  # templates, and code for other versions of Python
            return
    waiting: list[tuple[str, ast.AST]] = [("", module)]
    while waiting:
        name, node = waiting.pop()
        if isinstance(node, _DOCUMENTED):
            text = ast.get_docstring(node)
            if text and len(text) >= MIN_DOCSTRING:
                yield name or "module", text
        inner = [
            (f"{name}.{child.name}".lstrip(".") if isinstance(child, _DOCUMENTED[1:]) else name, child)
            for child in ast.iter_child_nodes(node)
        ]
        waiting.extend(reversed(inner))
