"""Run in axolotl's environment: checks settings by its own schema, loads and renders what they name by its own code.

Arguments: a folder with a tokenizer, and the settings as JSON. Writes JSON to standard output: of each split the rows
as [prompt, chosen, rejected] texts.
"""

import contextlib
import importlib
import json
import sys
from typing import Any


def main(folder: str, settings: dict[str, Any]) -> None:
    with contextlib.redirect_stdout(sys.stderr):
        schema = importlib.import_module("axolotl.utils.schemas.config").AxolotlInputConfig
        shared = importlib.import_module("axolotl.utils.data.shared")
        strategies = importlib.import_module("axolotl.prompt_strategies.dpo")
        own = {"base_model": folder, "micro_batch_size": 1, "gradient_accumulation_steps": 1, "learning_rate": 1e-5}
        schema(**own, **settings)
        config = importlib.import_module("axolotl.utils.dict").DictDefault({**own, **settings})
        tokenizer = importlib.import_module("transformers").AutoTokenizer.from_pretrained(folder)
        found = {}
        for split, entries in (("train", config.datasets), ("test", config.test_datasets)):
            if entries:
                [entry] = entries
                rows = shared.load_dataset_with_config(entry, False)
                render, _ = strategies.load(entry["type"], config, dataset_idx=0)
                read = [render(row, tokenizer=tokenizer) for row in rows]
                found[split] = [[row["prompt"], row["chosen"], row["rejected"]] for row in read]
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
