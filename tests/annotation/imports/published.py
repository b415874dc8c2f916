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


def sharegpt(chosen: str, rejected: str, who: str = "gpt", **others: Any) -> Row:
    talk = [{"from": "human", "value": "Hi."}, {"from": "gpt", "value": "Hello."}, {"from": "human", "value": Q}]
    answers = {"chosen": {"from": who, "value": chosen}, "rejected": {"from": who, "value": rejected}}
    return {"conversations": talk, **answers, **others}


def message(role: str, text: str, rank: Any = None, *replies: Row) -> Row:
    """A message of a tree of OpenAssistant's."""
    own = {"message_id": f"{role} {text}", "user_id": "u", "text": text, "role": role, "lang": "en", "deleted": False}
    return {**own, "rank": rank, "synthetic": False, "replies": list(replies)}


def tree(*replies: Row) -> Row:
    root = message("prompter", Q, None, *replies)
    return {"message_tree_id": "m", "tree_state": "ready_for_export", "prompt": root}


def nectar(*ranked: tuple[str, Any], prompt: str = ASKED) -> Row:
    answers = [{"answer": text, "model": f"m{rank}", "rank": rank} for text, rank in ranked]
    return {"prompt": prompt, "answers": answers, "turns": 1, "num_responses": len(answers), "source": ["lmsys"]}


def battle(winner: str, first: Any = A, second: Any = B, asked: str = Q, **others: Any) -> Row:
    talks = {
        f"conversation_{side}": [{"content": asked, "role": "user"}, {"content": answer, "role": "assistant"}]
        for side, answer in (("a", first), ("b", second))
    }
    row = {"question_id": "q", "model_a": "ma", "model_b": "mb", "winner": winner, "judge": "arena_user_1", **talks}
    return {**row, "turn": 1, "anony": True, "language": "English", **others}


def alpaca_eval(preference: Any) -> Row:
    row = {"instruction": Q, "output_1": A, "generator_1": "davinci", "output_2": B, "generator_2": "new"}
    return {**row, "annotator": "weighted_alpaca_eval_gpt4_turbo", "preference": preference}


def orca(system: Any, chosen: Any = A) -> Row:
    return {"system": system, "question": Q, "chosen": chosen, "rejected": B}


def kto(completion: Any, label: Any, prompt: Any = Q) -> Row:
    return {"prompt": prompt, "completion": completion, "label": label}


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
    "sharegpt": [
        (sharegpt(A, B), (*ONE, {"turns": turns("u:Hi.", "a:Hello.", f"u:{Q}")})),
        (sharegpt(B, A, system="Be kind."), (*TWO, {"turns": turns("s:Be kind.", "u:Hi.", "a:Hello.", f"u:{Q}")})),
        (sharegpt(A, B, system="", tools="", images=[]), (*ONE, {"turns": turns("u:Hi.", "a:Hello.", f"u:{Q}")})),
        (sharegpt(A, B, tools='[{"name": "weather"}]'), "more_than_text"),
        (sharegpt(A, B, images=["x.png"]), "more_than_text"),
        (sharegpt(A, B, "human"), "unreadable_dialogue"),
        (sharegpt(A, B, "function_call"), "other_role"),
        (sharegpt(A, A), "equal_answers"),
        (
            {side: [sharegpt(A, B)["conversations"][0], sharegpt(A, B)[side]] for side in ("chosen", "rejected")},
            (*ONE, {"prompt": "Hi."}),
        ),
        ({**sharegpt(A, B), "conversations": turns(f"u:{Q}")}, "unreadable"),
        ({**sharegpt(A, B), "chosen": None}, "unreadable"),
    ],
    "oasst": [
        (tree(message("assistant", B, 1), message("assistant", A, 0)), (*ONE, {"prompt": Q})),
        (tree(message("assistant", B, 2), message("assistant", A, 1)), (*ONE, {"prompt": Q})),
        (tree(message("assistant", A, 0), message("assistant", B, 0)), "tie"),
        (tree(message("assistant", A, 0), message("assistant", " ", 1)), "empty_answer"),
        (tree(message("assistant", A, None)), "too_few_answers"),
        (tree(), "too_few_answers"),
        (tree(message("prompter", A, 0), message("prompter", B, 1)), "too_few_answers"),
        (tree(message("tool", A, 0), message("assistant", B, 1)), "unreadable"),
        ({"message_tree_id": "m", "prompt": Q}, "unreadable"),
        ({"message_id": "m", "text": Q, "role": "prompter"}, "unreadable"),
    ],
    "nectar": [
        (nectar((B, 2.0), (A, 1.0)), (*ONE, {"prompt": Q, "models": ("m1.0", "m2.0")})),
        (nectar((A, 1.0), (B, 7.0), prompt=f"\n\nHuman: {Q}\n\nAssistant:"), (*ONE, {"prompt": Q})),
        (
            nectar((A, 1), (B, 2), prompt=f"\n\nHuman: Hi.\n\nAssistant: Hello.{ASKED}"),
            (*ONE, {"turns": turns("u:Hi.", "a:Hello.", f"u:{Q}")}),
        ),
        (nectar((A, 1.0), (B, 1.0)), "tie"),
        (nectar((A, 1.0), (B, None)), "unreadable"),
        (nectar((A, 1.0)), "too_few_answers"),
        (nectar((A, 1.0), (B, 2.0), prompt=Q), "unreadable_dialogue"),
    ],
    "arena": [
        (battle("model_a"), (*ONE, {"prompt": Q, "models": ("ma", "mb")})),
        (battle("model_b"), (*TWO, {"models": ("mb", "ma")})),
        (battle("model_b", [{"type": "text", "text": A}], [{"type": "text", "text": B}]), TWO),
        (battle("tie"), "tie"),
        (battle("tie (bothbad)"), "tie"),
        (battle("both_bad"), "tie"),
        (battle("model_c"), "unreadable"),
        (battle("model_a", A, ""), "empty_answer"),
        (battle("model_a", [{"type": "image", "image": "x"}], [{"type": "text", "text": B}]), "more_than_text"),
        (
            {**battle("model_a"), "conversation_b": battle("model_a", asked="Why?")["conversation_b"]},
            "differing_prefixes",
        ),
        ({**battle("model_a"), "conversation_a": A, "conversation_b": B}, "unreadable"),
    ],
    "alpaca-eval": [
        (alpaca_eval(1), (*ONE, {"models": ("davinci", "new")})),
        (alpaca_eval(2.0), (*TWO, {"models": ("new", "davinci")})),
        (alpaca_eval(1.000006748), ONE),
        (alpaca_eval(1.5000001), TWO),
        (alpaca_eval(1.5), "tie"),
        (alpaca_eval(0), "tie"),
        (alpaca_eval(None), "unreadable"),
        (alpaca_eval(float("nan")), "unreadable"),
    ],
    "orca-dpo": [
        (orca("You are an AI assistant."), (*ONE, {"turns": turns("s:You are an AI assistant.", f"u:{Q}")})),
        (orca(""), (*ONE, {"prompt": Q})),
        (orca(None), (*ONE, {"prompt": Q})),
        (orca("", B), "equal_answers"),
        (orca(["x"]), "unreadable"),
        ({"question": Q, "chosen": A, "rejected": B}, "unreadable"),
    ],
    "kto": [
        (kto(A, True), "unpaired"),
        (kto(B, 0, turns("u:Why?")), "unpaired"),
        (kto(turns(f"a:{A}"), None), "no_votes"),
        (kto(A, "good"), "unreadable"),
        (kto(turns("u:x"), True), "unreadable_dialogue"),
        (kto(None, True), "unreadable"),
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
