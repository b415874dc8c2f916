"""The known open sets: their origins, the layouts of their rows, and the rules for chosen answers."""

from dataclasses import dataclass

from annotation.imports.layout import Layout


@dataclass(frozen=True, kw_only=True)
class OpenSet:
    """A set, or a form that many sets share. ``layouts``: the first layout whose fields a row has reads the row.

    ``mapped``: the layout is the user's own mapping, so that likely mistakes in it are errors. ``version`` grows
    whenever the same file would give other comparisons. ``rule``: which answer is chosen, and according to whom.
    ``source``: the default name of the comparisons' source.
    """

    name: str
    source: str
    origin: str
    rule: str
    layouts: tuple[Layout, ...]
    version: int = 1
    mapped: bool = False

    @property
    def protocol_version(self) -> str:
        return f"{self.name}-{self.version}"


_FIRST_TO_THIRD = {"-3": "first", "-2": "first", "-1": "first", "0": "tie", "1": "second", "2": "second", "3": "second"}
_STRENGTHS = {
    **{sign + "3": "significantly_better" for sign in ("-", "")},
    **{sign + "2": "better" for sign in ("-", "")},
    **{sign + "1": "slightly_better" for sign in ("-", "")},
}
_TLDR = "SUBREDDIT: r/{info.subreddit}\n\nTITLE: {info.title}\n\nPOST: {info.post}\n\nTL;DR:"
_NEWS = "Article:\n{info.article}\n\nTL;DR:"

_SAFE = {
    "prompt": "prompt",
    "first": "response_0",
    "second": "response_1",
    "preferred": "better_response_id",
    "preference": {"0": "first", "1": "second"},
    "first_safe": "is_response_0_safe",
    "second_safe": "is_response_1_safe",
}
_SAFE_RISKS = {"first_risks": "response_0_harm_category", "second_risks": "response_1_harm_category"}
_SAFE_MODELS = {"first_model": "response_0_source", "second_model": "response_1_source"}

_SHAREGPT = {"dialogue": "sharegpt", "prompt": "conversations", "chosen": "chosen", "rejected": "rejected"}

_SETS = (
    OpenSet(
        name="hh",
        source="anthropic-hh",
        origin="https://huggingface.co/datasets/Anthropic/hh-rlhf (arXiv 2204.05862)",
        rule="The set says which of two dialogues was chosen; they are the same up to the last answer.",
        layouts=(Layout(dialogue="hh", chosen="chosen", rejected="rejected"),),
    ),
    OpenSet(
        name="summarize",
        source="summarize-from-feedback",
        origin="https://github.com/openai/summarize-from-feedback, comparisons (arXiv 2009.01325)",
        rule="`choice` is the better one of two summaries. The prompt is the post in the form that the authors' models "
        "read, ending in TL;DR:. Rows whose own `split` is valid1 or valid2 are held out, as the authors did.",
        layouts=(
            Layout(
                templates=(_TLDR, _NEWS),
                first="summaries.0.text",
                second="summaries.1.text",
                preferred="choice",
                preference={"0": "first", "1": "second"},
                first_model="summaries.0.policy",
                second_model="summaries.1.policy",
                split="split",
                held_out=("valid1", "valid2"),
            ),
        ),
    ),
    OpenSet(
        name="webgpt",
        source="webgpt-comparisons",
        origin="https://huggingface.co/datasets/openai/webgpt_comparisons (arXiv 2112.09332)",
        rule="The answer with the higher score is chosen (the card: the score is the strength of the preference, from "
        "-1 to 1, and both sum to 0); equal scores are a tie. The quotes that the answers cite are left out.",
        layouts=(
            Layout(
                prompt="question.full_text",
                first="answer_0",
                second="answer_1",
                first_score="score_0",
                second_score="score_1",
            ),
        ),
    ),
    OpenSet(
        name="stack-exchange",
        source="stack-exchange-preferences",
        origin="https://huggingface.co/datasets/HuggingFaceH4/stack-exchange-preferences (arXiv 2112.00861)",
        rule="Of two answers the one with the higher `pm_score` is chosen (log2(1 + votes), one more for the accepted "
        "answer, -1 below no votes); equal ones are a tie. At most ten pairs a question, best answers first.",
        layouts=(Layout(prompt="question", answers="answers", text="text", score="pm_score", most_pairs=10),),
    ),
    OpenSet(
        name="shp",
        source="shp",
        origin="https://huggingface.co/datasets/stanfordnlp/SHP (ICML 2022), and SHP-2",
        rule="`labels` is 1 where comment A is preferred, 0 where B is: the later comment that has the higher score.",
        layouts=(
            Layout(
                prompt="history",
                first="human_ref_A",
                second="human_ref_B",
                preferred="labels",
                preference={"1": "first", "0": "second"},
            ),
        ),
    ),
    OpenSet(
        name="helpsteer2",
        source="helpsteer2",
        origin="https://huggingface.co/datasets/nvidia/HelpSteer2 (arXiv 2406.08673, 2410.01257)",
        rule="preference.jsonl: below 0 response 1 is better, above 0 response 2, 0 is a tie; 3, 2 and 1 are "
        "significantly, plainly and slightly better; rows of its split val are held out. train.jsonl and "
        "validation.jsonl: two rows with one prompt are a pair, the one with the higher helpfulness is chosen, equal "
        "ones are a tie.",
        layouts=(
            Layout(
                dialogue="helpsteer",
                prompt="prompt",
                first="response_1",
                second="response_2",
                preferred="preference_strength",
                preference=_FIRST_TO_THIRD,  # type: ignore[arg-type]
                degrees=_STRENGTHS,  # type: ignore[arg-type]
                split="split",
                held_out=("val", "validation"),
            ),
            Layout(dialogue="helpsteer", prompt="prompt", consecutive=True, text="response", score="helpfulness"),
        ),
    ),
    OpenSet(
        name="helpsteer3",
        source="helpsteer3",
        origin="https://huggingface.co/datasets/nvidia/HelpSteer3, preference (arXiv 2505.11475)",
        rule="`overall_preference`: below 0 response 1 is better, above 0 response 2, 0 is a tie; 3, 2 and 1 are "
        "significantly, plainly and slightly better. The scores of single annotators are counted as votes.",
        layouts=(
            Layout(
                prompt="context",
                first="response1",
                second="response2",
                preferred="overall_preference",
                preference=_FIRST_TO_THIRD,  # type: ignore[arg-type]
                degrees=_STRENGTHS,  # type: ignore[arg-type]
                votes="individual_preference",
                vote="score",
            ),
        ),
    ),
    OpenSet(
        name="ultrafeedback",
        source="ultrafeedback",
        origin="https://huggingface.co/datasets/openbmb/UltraFeedback (arXiv 2310.01377), and "
        "ultrafeedback_binarized of HuggingFaceH4 (arXiv 2310.16944)",
        rule="Four completions: each two of them are a pair, the one with the higher mean rating over the four aspects "
        "(`fine-grained_score`) is chosen, equal ones are a tie; `overall_score` is not used, for its first version "
        "confused 1 and 10 (the set's README). Binarized: chosen and rejected as they are; equal scores are a tie.",
        layouts=(
            Layout(chosen="chosen", rejected="rejected", chosen_score="score_chosen", rejected_score="score_rejected"),
            Layout(
                prompt="instruction",
                answers="completions",
                text="response",
                score="fine-grained_score",
                model="model",
            ),
        ),
    ),
    OpenSet(
        name="safe-rlhf",
        source="pku-safe-rlhf",
        origin="https://huggingface.co/datasets/PKU-Alignment/PKU-SafeRLHF (arXiv 2406.15513)",
        rule="`better_response_id`, the more helpful one, is chosen; safety is that of `is_response_0_safe` and "
        "`is_response_1_safe`, risks are the harm categories. An unsafe chosen answer beside a safe one is left out "
        "(Llama 2). For the safer one, map `safer_response_id` instead.",
        layouts=(
            Layout(**_SAFE, **_SAFE_RISKS, **_SAFE_MODELS),  # type: ignore[arg-type]
            Layout(**_SAFE),  # type: ignore[arg-type]
        ),
    ),
    OpenSet(
        name="sharegpt",
        source="sharegpt",
        origin="conversations in the form of ShareGPT, {from, value}, with two answers, as LLaMA-Factory reads them "
        "(`ranking: true`)",
        rule="`chosen` and `rejected` answer what `conversations` ends with, or are whole conversations; `system`, "
        "where the rows have it, stands before the dialogue.",
        layouts=(
            Layout(**_SHAREGPT, system="system"),  # type: ignore[arg-type]
            Layout(**_SHAREGPT),  # type: ignore[arg-type]
            Layout(dialogue="sharegpt", chosen="chosen", rejected="rejected"),
        ),
    ),
    OpenSet(
        name="oasst",
        source="oasst",
        origin="https://huggingface.co/datasets/OpenAssistant/oasst1 (arXiv 2304.07327) and oasst2, the files of trees",
        rule="Every message of a prompter's in a tree is a prompt, with the dialogue up to it; each two of its replies "
        "are a pair, the one with the lower `rank` is chosen (0 is the best), equal ranks are a tie. Replies of "
        "prompters are no answers.",
        layouts=(Layout(tree="prompt", replies="replies", text="text", score="rank", better="lower"),),
    ),
    OpenSet(
        name="nectar",
        source="nectar",
        origin="https://huggingface.co/datasets/berkeley-nest/Nectar",
        rule="Each two of the seven answers are a pair, the one with the lower `rank` is chosen (1 is the best), equal "
        "ranks are a tie. The prompt is a dialogue in the form of HH, up to where the answer begins.",
        layouts=(
            Layout(
                dialogue="hh",
                prompt="prompt",
                answers="answers",
                text="answer",
                score="rank",
                better="lower",
                model="model",
            ),
        ),
    ),
    OpenSet(
        name="arena",
        source="arena",
        origin="https://huggingface.co/datasets/lmsys/chatbot_arena_conversations and mt_bench_human_judgments "
        "(arXiv 2306.05685), and arena-human-preference of lmarena-ai",
        rule="`winner` names the better one of two conversations; `tie`, `tie (bothbad)` and `both_bad` are a tie. "
        "Conversations that differ before the last answer are left out.",
        layouts=(
            Layout(
                first="conversation_a",
                second="conversation_b",
                preferred="winner",
                preference={
                    "model_a": "first",
                    "model_b": "second",
                    "tie": "tie",
                    "tie (bothbad)": "tie",
                    "both_bad": "tie",
                },
                first_model="model_a",
                second_model="model_b",
            ),
        ),
    ),
    OpenSet(
        name="alpaca-eval",
        source="alpaca-eval",
        origin="annotations of AlpacaEval (https://github.com/tatsu-lab/alpaca_eval; arXiv 2404.04475)",
        rule="`preference` goes from 1, the first output is better, to 2, the second one is: below 1.5 the first one "
        "is chosen, above 1.5 the second one, 1.5 and 0 are a tie.",
        layouts=(
            Layout(
                prompt="instruction",
                first="output_1",
                second="output_2",
                preferred="preference",
                preference={"0": "tie", "<1.5": "first", "1.5": "tie", ">1.5": "second"},
                first_model="generator_1",
                second_model="generator_2",
            ),
        ),
    ),
    OpenSet(
        name="orca-dpo",
        source="orca-dpo-pairs",
        origin="https://huggingface.co/datasets/Intel/orca_dpo_pairs (arXiv 2306.02707)",
        rule="The set says which of two answers is chosen; `system`, unless it is empty, is the system's message.",
        layouts=(Layout(system="system", prompt="question", chosen="chosen", rejected="rejected"),),
    ),
    OpenSet(
        name="kto",
        source="kto",
        origin="unpaired feedback as TRL's KTOTrainer reads it: prompt, completion, label (arXiv 2402.01306)",
        rule="The first good answer to a prompt (`label` is true) and the first bad one are a pair, then the second "
        "ones, and so on; the good one is chosen. Rows that find no other one with the same prompt are left out.",
        layouts=(Layout(prompt="prompt", completion="completion", label="label"),),
    ),
    OpenSet(
        name="label-studio",
        source="label-studio",
        origin="a JSON export of Label Studio with its Pairwise control (https://labelstud.io/tags/pairwise.html)",
        rule="Most annotations of a task decide, skipped ones apart; as many for one as for the other are a tie.",
        layouts=(
            Layout(
                prompt="data.prompt",
                first="data.answer1",
                second="data.answer2",
                annotations="annotations",
                preference={"left": "first", "right": "second"},
            ),
        ),
    ),
)

SETS = {each.name: each for each in _SETS}
