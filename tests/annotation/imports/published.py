"""Rows as open sets publish them, written by hand, each with what becomes of its pairs."""

from typing import Any

Row = dict[str, Any]

Q = "What is rye?"
A, B = "A grain.", "A drink."
ASKED = f"\n\nHuman: {Q}\n\nAssistant: "
OTHER = "\n\nHuman: What is oats?\n\nAssistant: "
ROLES = {"u": "user", "a": "assistant", "s": "system"}


def turns(*said: str) -> list[dict[str, str]]:
    """Messages, each with its role's first letter before a colon: ``u:What is rye?``."""
    return [{"role": ROLES[each[0]], "content": each[2:]} for each in said]


def hh(chosen: str, rejected: str) -> Row:
    return {"chosen": chosen, "rejected": rejected}


def summarize(choice: Any, split: str = "train", first: str = " Short.", **info: Any) -> Row:
    post = {"id": "t3", "post": "I fell.", "title": "A fall", "subreddit": "legaladvice", **info}
    summaries = [{"text": first, "policy": "sup4", "note": None}, {"text": " Long.", "policy": "ref", "note": "n"}]
    return {"info": post, "summaries": summaries, "choice": choice, "worker": "w", "batch": "b", "split": split}


def webgpt(first: float | None, second: float | None) -> Row:
    question = {"dataset": "eli5", "full_text": Q, "id": "1"}
    return {"question": question, "answer_0": A, "answer_1": B, "score_0": first, "score_1": second}


def stack(*answers: tuple[str, Any]) -> Row:
    listed = [
        {"answer_id": k, "pm_score": score, "selected": False, "text": text} for k, (text, score) in enumerate(answers)
    ]
    return {"qid": 1, "question": Q, "answers": listed, "date": "2020/01/01", "metadata": ["x"]}


def shp(labels: Any) -> Row:
    return {"post_id": "p", "history": Q, "human_ref_A": A, "human_ref_B": B, "labels": labels, "score_ratio": 2.0}


def helpsteer2(strength: Any, split: str = "train", prompt: str = Q) -> Row:
    row = {"prompt": prompt, "response_1": A, "response_2": B, "preference_strength": strength, "split": split}
    return {**row, "preference_statement": "s"}


def rated(response: str, helpfulness: Any, prompt: str = Q) -> Row:
    return {"prompt": prompt, "response": response, "helpfulness": helpfulness, "correctness": 4, "coherence": 4}


def helpsteer3(overall: Any, *scores: int | None) -> Row:
    single = [{"score": score, "reasoning": "r"} for score in scores]
    row = {"domain": "general", "language": "english", "context": turns("s:Be kind.", f"u:{Q}"), "response1": A}
    return {**row, "response2": B, "overall_preference": overall, "individual_preference": single}


def ultra(*completions: tuple[str, Any]) -> Row:
    listed = [
        {"model": f"m{k}", "response": text, "fine-grained_score": score, "overall_score": 10.0}
        for k, (text, score) in enumerate(completions)
    ]
    return {"source": "evol_instruct", "instruction": Q, "models": ["m0"], "completions": listed}


def binarized(chosen: list[Any], rejected: list[Any], one: float = 8.0, other: float = 5.0) -> Row:
    row = {"prompt": Q, "prompt_id": "x", "chosen": chosen, "rejected": rejected, "messages": chosen}
    return {**row, "score_chosen": one, "score_rejected": other}


def safe(better: Any, first: Any, second: Any, *harms: str) -> Row:
    row = {"prompt": Q, "response_0": A, "response_1": B, "is_response_0_safe": first, "is_response_1_safe": second}
    row |= {"better_response_id": better, "safer_response_id": 0, "response_0_source": "Alpaca-7B"}
    row |= {"response_1_source": "Alpaca-13B", "response_0_severity_level": 0}
    none = {"Drugs": False, "Violence": False}
    return {**row, "response_0_harm_category": none, "response_1_harm_category": none | dict.fromkeys(harms, True)}


def task(*votes: Any, kind: str = "pairwise") -> Row:
    """A task of Label Studio. A vote: what was selected, ``-`` for a skipped one, null for an empty one."""
    listed = []
    for k, vote in enumerate(votes):
        value = {"selected": vote} if kind == "pairwise" else {"choices": [vote]}
        result = [{"from_name": "pw", "to_name": "answer1", "type": kind, "value": value}]
        listed.append({"id": k, "was_cancelled": vote == "-", "result": [] if vote is None else result})
    return {"id": 1, "data": {"prompt": Q, "answer1": A, "answer2": B}, "annotations": listed}


TLDR = "SUBREDDIT: r/legaladvice\n\nTITLE: A fall\n\nPOST: I fell.\n\nTL;DR:"
ONE, TWO = (A, B), (B, A)
MULTI = f"{Q}\n<extra_id_1>Assistant\n{A}\n<extra_id_1>User\nAnd oats?"

EXPECTED: dict[str, list[tuple[Any, Any]]] = {
    "hh": [
        (hh(ASKED + A, ASKED + B), ONE),
        (hh(ASKED + "  A\n", ASKED + B), ("  A\n", B)),
        (hh(ASKED + A + ASKED + B, ASKED + A + ASKED + A), TWO),
        (hh(ASKED + A, OTHER + B), "differing_prefixes"),
        (hh(ASKED + A, ASKED + B + ASKED + B), "differing_prefixes"),
        (hh(ASKED + A, ASKED), "empty_answer"),
        (hh(ASKED + A, ASKED + A), "equal_answers"),
        (hh(A, B), "unreadable_dialogue"),
        (hh(ASKED + A, f"\n\nHuman: {Q}\n\nAssistant:"), "unreadable_dialogue"),
        (hh(f"\n\nHuman: {Q}", f"\n\nHuman: {A}"), "unreadable_dialogue"),
        (hh(f"\n\nAssistant: {A}", f"\n\nAssistant: {B}"), "unreadable_dialogue"),
        (hh("\n\nHuman:  \n\nAssistant: a", "\n\nHuman:  \n\nAssistant: b"), "empty_prompt"),
        ({"chosen": ASKED + A}, "unreadable"),
        ({"chosen": ASKED + A, "rejected": None}, "unreadable"),
        ({"chosen": ASKED + A, "rejected": 3}, "unreadable"),
    ],
    "summarize": [
        (summarize(0), (" Short.", " Long.", {"prompt": TLDR, "models": ("sup4", "ref"), "held_out": False})),
        (summarize(1), (" Long.", " Short.", {"models": ("ref", "sup4")})),
        (summarize(1, "valid2"), (" Long.", " Short.", {"held_out": True})),
        (
            summarize(0, post=None, subreddit=None, article="Sissoko was sent off."),
            (" Short.", " Long.", {"prompt": "Article:\nSissoko was sent off.\n\nTL;DR:"}),
        ),
        (summarize(0, post=None), "unreadable"),
        (summarize(2), "unreadable"),
        (summarize(None), "unreadable"),
        (summarize(1, first=" "), "empty_answer"),
        (summarize(1, first=" Long."), "equal_answers"),
    ],
    "webgpt": [
        (webgpt(0.5, -0.5), ONE),
        (webgpt(-1.0, 1.0), TWO),
        (webgpt(0.0, 0.0), "tie"),
        (webgpt(None, 0.0), "unreadable"),
        (webgpt(float("nan"), 0.0), "unreadable"),
    ],
    "stack-exchange": [
        (stack((B, 1), (A, 4)), ONE),
        (stack((A, 2), (B, 2)), "tie"),
        (stack((A, 2), ("", 1)), "empty_answer"),
        (stack((A, 2), (A, 1)), "equal_answers"),
        (stack((A, 2)), "too_few_answers"),
        (stack((A, 2), (B, None)), "unreadable"),
    ],
    "shp": [(shp(1), ONE), (shp(0), TWO), (shp(0.0), TWO), (shp(2), "unreadable"), (shp(None), "unreadable")],
    "helpsteer2": [
        (helpsteer2(-3), (*ONE, {"degree": "significantly_better"})),
        (helpsteer2(-2), (*ONE, {"degree": "better"})),
        (helpsteer2(1), (*TWO, {"degree": "slightly_better", "held_out": False})),
        (helpsteer2(3, "val"), (*TWO, {"degree": "significantly_better", "held_out": True})),
        (helpsteer2(0), "tie"),
        (helpsteer2(4), "unreadable"),
        (helpsteer2(1, prompt=MULTI), (*TWO, {"turns": turns(f"u:{Q}", f"a:{A}", "u:And oats?")})),
        (helpsteer2(1, prompt="a\n<extra_id_1>System\nb"), "unreadable_dialogue"),
    ],
    "helpsteer3": [
        (
            helpsteer3(-1, -2, 1, -1),
            (*ONE, {"degree": "slightly_better", "votes": (2, 1), "turns": turns("s:Be kind.", f"u:{Q}")}),
        ),
        (helpsteer3(2, 3, 0, 1), (*TWO, {"degree": "better", "votes": (2, 0)})),
        (helpsteer3(3, None), (*TWO, {"degree": "significantly_better", "votes": (0, 0)})),
        (helpsteer3(0, 1, -1), "tie"),
        (helpsteer3("-2"), (*ONE, {"degree": "better"})),
        (helpsteer3(None, 1), "unreadable"),
    ],
    "ultrafeedback": [
        (ultra((B, 2.0), (A, 4.5)), (*ONE, {"models": ("m1", "m0")})),
        (ultra((A, 4.0), (B, 4.0)), "tie"),
        (binarized(turns(f"u:{Q}", f"a:{A}"), turns(f"u:{Q}", f"a:{B}")), (*ONE, {"prompt": Q})),
        (binarized(turns(f"u:{Q}", f"a:{A}"), turns(f"u:{Q}", f"a:{B}"), 5, 5), "tie"),
        (binarized(turns(f"u:{Q}", f"a:{A}"), turns(f"u:{Q}", f"a:{B}"), 5, 6), "unreadable"),
        (binarized(turns(f"u:{Q}", f"a:{A}"), turns("u:Why?", f"a:{B}")), "differing_prefixes"),
        (binarized(turns(f"u:{Q}", f"a:{A}"), turns(f"u:{Q}", f"a:{A}")), "equal_answers"),
        (binarized(turns(f"u:{Q}"), turns(f"u:{Q}")), "unreadable_dialogue"),
        (binarized([], turns(f"u:{Q}")), "unreadable"),
        (binarized([{"from": "gpt", "value": A}], turns(f"u:{Q}")), "unreadable"),
    ],
    "safe-rlhf": [
        (safe(0, True, True), (*ONE, {"safe": (True, True), "models": ("Alpaca-7B", "Alpaca-13B")})),
        (safe(1, False, False, "Violence"), (*TWO, {"safe": (False, False), "risks": (("Violence",), ())})),
        (safe(0, True, False, "Violence"), (*ONE, {"safe": (True, False), "risks": ((), ("Violence",))})),
        (safe(1, True, False), "unsafe_chosen"),
        (safe(0, None, True), (*ONE, {"safe": (None, True)})),
        (safe(0, "yes", True), "unreadable"),
        (safe(2, True, True), "unreadable"),
    ],
    "label-studio": [
        (task("left"), (*ONE, {"votes": (1, 0)})),
        (task("right", "right", "left", "-", None), (*TWO, {"votes": (2, 1)})),
        (task("left", kind="choices"), (*ONE, {"votes": (1, 0)})),
        (task("left", "right"), "tie"),
        (task("-", None), "no_votes"),
        (task(), "no_votes"),
        (task("up"), "unreadable"),
        ({"data": {"prompt": Q, "answer1": A}, "annotations": []}, "unreadable"),
    ],
}
"""Of each schema: a row that holds one candidate, and the reason why it is left out, or both answers, the chosen one
first, and what else the row tells."""
