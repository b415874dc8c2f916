"""Run in OpenRLHF's environment: parses a command by its own options and loads what these name by its own loader.

Arguments: a folder with a tokenizer, then the words of the command behind ``python -m``. Writes JSON to standard
output: of each split the rows as [prompt, chosen, rejected, margin] texts, and whether the margin is in the loss.
"""

import argparse
import ast
import contextlib
import importlib
import json
import sys
from datetime import datetime
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any


def parsed(module: str, words: list[str]) -> Any:
    """The options of a command, by the parser that the module makes when it is run."""
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    with open(spec.origin, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    [main] = [node for node in tree.body if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)]
    ends = next(k for k, node in enumerate(main.body) if "parse_args" in ast.unparse(node))
    names: dict[str, Any] = {"argparse": argparse, "datetime": datetime}
    exec(compile(ast.Module(main.body[:ends], []), spec.origin, "exec"), names)
    flat = names["parser"].parse_args(words)
    return importlib.import_module("openrlhf.utils.config").hierarchize(flat)


def main(folder: str, module: str, words: list[str]) -> None:
    with contextlib.redirect_stdout(sys.stderr):
        args = parsed(module, words)
        loading = importlib.import_module("openrlhf.datasets.utils")
        reward = importlib.import_module("openrlhf.datasets.reward_dataset")
        tokenizer = importlib.import_module("transformers").AutoTokenizer.from_pretrained(folder)
        strategy = SimpleNamespace(args=args, print=lambda *words: None, is_rank_0=lambda: False)
        args.use_ms = False
        found = {"margin": getattr(args.model, "margin_loss_enable", False)}
        named = {"train": (args.data.dataset, args.data.dataset_split), "test": (args.eval.dataset, args.eval.split)}
        for split, (path, its_split) in named.items():
            if path:
                rows = loading.blending_datasets(path, None, strategy, dataset_split=its_split)
                read = reward.RewardDataset(rows, tokenizer, 512, strategy, num_processors=1)
                columns = (read.prompts, read.chosens, read.rejects, read.extras)
                found[split] = [list(row) for row in zip(*columns, strict=True)]
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
