"""Run where Hydra is: applies overrides to a config as NeMo RL does, which takes no new key without a plus sign.

Arguments: the config as JSON, then the overrides. Writes the resulting config as JSON to standard output.
"""

import importlib
import json
import sys
from typing import Any


def main(config: dict[str, Any], overrides: list[str]) -> None:
    omegaconf = importlib.import_module("omegaconf").OmegaConf
    parser = importlib.import_module("hydra.core.override_parser.overrides_parser").OverridesParser.create()
    loader = importlib.import_module("hydra._internal.config_loader_impl").ConfigLoaderImpl
    made = omegaconf.create(config)
    omegaconf.set_struct(made, True)
    loader._apply_overrides_to_config(overrides=parser.parse_overrides(overrides=overrides), cfg=made)
    print(json.dumps(omegaconf.to_container(made, resolve=True)))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2:])
