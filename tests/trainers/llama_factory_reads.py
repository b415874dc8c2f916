"""Run in LLaMA-Factory's environment: parses settings by its own parser and loads what they name by its own loader.

Argument: the settings as JSON. Writes JSON to standard output: of each split the rows as [messages before the answers,
answers, the system's message].
"""

import contextlib
import importlib
import json
import os
import sys
from typing import Any


def main(settings: dict[str, Any]) -> None:
    os.environ |= {"DISABLE_VERSION_CHECK": "1"}
    with contextlib.redirect_stdout(sys.stderr):
        parser = importlib.import_module("llamafactory.hparams.parser")
        loader = importlib.import_module("llamafactory.data.loader")
        own = {"model_name_or_path": "none", "stage": "dpo", "do_train": True, "output_dir": settings["dataset_dir"]}
        model, data, training, *_ = parser._parse_train_args({**own, **settings, "report_to": "none"})
        found = {}
        for split, names in (("train", data.dataset), ("test", data.eval_dataset)):
            if names:
                rows = loader._get_merged_dataset(names, model, data, training, stage="rm")
                found[split] = [[row["_prompt"], row["_response"], row["_system"]] for row in rows]
    print(json.dumps(found))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
