"""TRL's own trainers take our exports as they are: one step, on a tiny model with drawn weights."""

import copy
from pathlib import Path
from typing import Any

import pytest

from annotation.dataset.master import Master
from annotation.exports import export
from tests.annotation.exports.datasets import comparison, dataset

TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "1")


@pytest.fixture(scope="module")
def mill(tmp_path_factory: pytest.TempPathFactory) -> Master:
    degrees = ("significantly_better", "better", "slightly_better", None)
    rows = [comparison(f"{place}", degree=degree) for place, degree in enumerate(degrees)]
    return dataset(tmp_path_factory.mktemp("datasets") / "mill", rows)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """Bytes and the marks of turns, made here: nothing is fetched."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    marks = ["<pad>", "</s>", "<system>", "<user>", "<assistant>"]
    vocabulary = {piece: number for number, piece in enumerate([*marks, *alphabet])}
    plain = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    wrapped = PreTrainedTokenizerFast(tokenizer_object=plain, pad_token="<pad>", eos_token="</s>")
    wrapped.add_special_tokens({"additional_special_tokens": marks[2:]})
    wrapped.chat_template = TEMPLATE
    return wrapped


def config(tokenizer: Any) -> Any:
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=512,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )


def settings(kind: Any, folder: Path, **changes: Any) -> Any:
    return kind(
        output_dir=str(folder / "run"),
        per_device_train_batch_size=4,
        max_steps=1,
        report_to=[],
        use_cpu=True,
        save_strategy="no",
        logging_steps=1,
        disable_tqdm=True,
        gradient_checkpointing=False,
        bf16=False,
        **changes,
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize(
    "margin", ["small", *(pytest.param(margin, marks=pytest.mark.soak) for margin in ("large", "none"))]
)
def test_the_reward_trainer_s_loss_is_the_one_of_llama_2(
    mill: Master, tokenizer: Any, margin: str, tmp_path: Path
) -> None:
    """Equation 2 of the paper, by hand: the mean of -log sigmoid(chosen - rejected - margin) over the rows."""
    import torch
    from datasets import load_dataset
    from transformers import LlamaForSequenceClassification
    from trl import RewardConfig, RewardTrainer

    export(mill, tmp_path / "out", "trl-reward", margin)
    rows = load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    torch.manual_seed(0)
    settled = config(tokenizer)
    settled.num_labels = 1
    model = LlamaForSequenceClassification(settled)
    model.eval()
    rewards = {}
    for side in ("chosen", "rejected"):
        rewards[side] = []
        for row in rows:
            ids = tokenizer.apply_chat_template(row[side], return_tensors="pt", return_dict=True)
            with torch.no_grad():
                rewards[side].append(model(**ids).logits.item())
    margins = {"small": [1, 2 / 3, 1 / 3, 0], "large": [3, 2, 1, 0], "none": [0, 0, 0, 0]}[margin]
    difference = torch.tensor(rewards["chosen"]) - torch.tensor(rewards["rejected"]) - torch.tensor(margins)
    by_hand = torch.log1p(torch.exp(-difference)).mean().item()
    trainer = RewardTrainer(
        model=model,
        args=settings(RewardConfig, tmp_path, center_rewards_coefficient=None),
        train_dataset=rows,
        processing_class=tokenizer,
    )
    assert len(trainer.train_dataset) == 4, "no row is lost"
    before = [weight.detach().clone() for weight in model.parameters()]
    loss = trainer.train().training_loss
    assert loss == pytest.approx(by_hand, abs=1e-5)
    assert any(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True)), "it learned"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_the_dpo_trainer_trains_on_each_answer_behind_its_prompt(mill: Master, tokenizer: Any, tmp_path: Path) -> None:
    """Before the first step the policy is the reference, so that the loss is log 2 (Rafailov et al. 2023, eq. 7)."""
    import torch
    from datasets import load_dataset
    from transformers import LlamaForCausalLM
    from trl import DPOConfig, DPOTrainer

    export(mill, tmp_path / "out", "trl-dpo")
    rows = load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    torch.manual_seed(0)
    model = LlamaForCausalLM(config(tokenizer))
    trainer = DPOTrainer(
        model=model,
        ref_model=copy.deepcopy(model),
        args=settings(DPOConfig, tmp_path),
        train_dataset=rows,
        processing_class=tokenizer,
    )
    for number, prepared in enumerate(trainer.train_dataset):
        for side in ("chosen", "rejected"):
            text = tokenizer.decode([*prepared["prompt_ids"], *prepared[f"{side}_ids"]])
            answer = mill.splits["train"][side][number].as_py()
            assert text == f"<user>What is rye?</s><assistant>{answer}</s>"
    assert trainer.train().training_loss == pytest.approx(0.693147, abs=1e-4)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_the_kto_trainer_takes_both_answers_of_each_comparison(mill: Master, tokenizer: Any, tmp_path: Path) -> None:
    """Before the first step each answer's value is 1/2 (Ethayarajh et al. 2024, eq. 7 and 8), so is the loss."""
    import torch
    from datasets import load_dataset
    from transformers import LlamaForCausalLM
    from trl import KTOConfig, KTOTrainer

    export(mill, tmp_path / "out", "trl-kto")
    rows = load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    torch.manual_seed(0)
    model = LlamaForCausalLM(config(tokenizer))
    trainer = KTOTrainer(
        model=model,
        ref_model=copy.deepcopy(model),
        args=settings(KTOConfig, tmp_path),
        train_dataset=rows,
        processing_class=tokenizer,
    )
    found = [tokenizer.decode([*row["prompt_ids"], *row["completion_ids"]]) for row in trainer.train_dataset]
    table = mill.splits["train"]
    answers = [*table["chosen"].to_pylist(), *table["rejected"].to_pylist()]
    assert sorted(found) == sorted(f"<user>What is rye?</s><assistant>{answer}</s>" for answer in answers)
    assert trainer.train().training_loss == pytest.approx(0.5, abs=1e-3)
