"""Trainers learn nothing from padding: their loss is that of the documents alone, on a tiny model."""

from pathlib import Path
from typing import Any

import pytest
import torch

from schemas import open_packed
from schemas.torch_reader import SequenceDataset
from tests.schemas.packed_folders import filled_of, tokens_of, write_packed

ROWS, LENGTH, VOCABULARY = 8, 12, 50


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tokens = tokens_of(ROWS, LENGTH, VOCABULARY)
    for row, filled in enumerate(filled_of(ROWS, LENGTH)):
        tokens[row, filled:] = 0
    return write_packed(tmp_path / "packed", tokens, padded=True)


def model() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    return LlamaForCausalLM(LlamaConfig(vocab_size=VOCABULARY, pad_token_id=0, eos_token_id=0, **sizes)).eval()


def loss_of_documents(folder: Path) -> float:
    """The mean loss of every token but the first of each row, of rows that are cut where their documents end."""
    sequences, losses = open_packed(folder), []
    for row in range(len(sequences)):
        tokens = torch.tensor(sequences[row][: sequences.filled(row)].astype(int))[None]
        with torch.no_grad():
            predicted = model()(input_ids=tokens).logits[0, :-1]
        losses.append(torch.nn.functional.cross_entropy(predicted, tokens[0, 1:], reduction="none"))
    return torch.cat(losses).mean().item()


def settings(kind: Any, folder: Path, **changes: Any) -> Any:
    return kind(
        output_dir=str(folder),
        per_device_train_batch_size=ROWS,
        max_steps=1,
        learning_rate=0.0,
        report_to=[],
        use_cpu=True,
        save_strategy="no",
        logging_steps=1,
        disable_tqdm=True,
        **changes,
    )


def loss_of(trainer: Any) -> float:
    trainer.train()
    [first, *_] = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return float(first)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_the_trainer_of_transformers_learns_from_documents_alone(folder: Path, tmp_path: Path) -> None:
    from transformers import Trainer, TrainingArguments

    arguments = settings(TrainingArguments, tmp_path / "run")
    trainer = Trainer(model=model(), args=arguments, train_dataset=SequenceDataset(folder, labels=True))
    assert loss_of(trainer) == pytest.approx(loss_of_documents(folder), rel=1e-3)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_trl_learns_from_documents_alone_by_datasets(folder: Path, tmp_path: Path) -> None:
    """As the README of schemas says: the Arrow files, with labels by the column ``filled``."""
    from datasets import load_dataset
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast
    from trl import SFTConfig, SFTTrainer

    def labelled(row: dict[str, Any]) -> dict[str, Any]:
        filled = row["filled"]
        return {"input_ids": row["tokens"], "labels": row["tokens"][:filled] + [-100] * (LENGTH - filled)}

    shards = str(folder / "shards/*.arrow")
    rows = load_dataset("arrow", data_files=shards, split="train", cache_dir=str(tmp_path / "cache"))
    rows = rows.map(labelled, remove_columns=rows.column_names)
    words = Tokenizer(models.WordLevel({f"w{number}": number for number in range(VOCABULARY)}, unk_token="w1"))
    wrapped = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="w0", pad_token="w0")
    arguments = settings(SFTConfig, tmp_path / "run", max_length=None, gradient_checkpointing=False, bf16=False)
    trainer = SFTTrainer(model=model(), args=arguments, train_dataset=rows, processing_class=wrapped)
    assert loss_of(trainer) == pytest.approx(loss_of_documents(folder), rel=1e-3)
