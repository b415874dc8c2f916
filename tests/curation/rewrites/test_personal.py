"""Personal information is found as slow, plain programs define it, and every value gets a stand-in of its own.

Of the made-up texts in `data/pii`, lines with an even number (from 0 on) are for development, and those with an odd
number are the measure; lines of both kinds keep the bars. The ranges of card numbers are the issuers' published ranges,
chosen after a look at examples of both.
"""

import gzip
import json
import re
from collections import Counter
from itertools import permutations
from pathlib import Path
from random import Random
from time import process_time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.rewrites.personal import KINDS, Kind, find_personal
from curation.rewrites.redact import COUNTS, Redact
from curation.rewrites.service_keys import FORMATS, key_at, keys_at
from schemas.errors import UserError

APART = rb"(?<![A-Za-z0-9_/\x80-\xff])(?<![0-9][-.])"
ENDS = rb"(?![A-Za-z0-9_\x80-\xff])(?![-.][0-9])"
CARD = (
    rb"[0-9]{12,19}",
    rb"[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}\1[0-9]{1,3}",
    rb"[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}",
    rb"[0-9]{4}([ -])[0-9]{6}\1[0-9]{4,5}",
)
ISSUERS = (
    r"4([0-9]{12}|[0-9]{15}|[0-9]{18})",  # Visa
    r"5[1-5][0-9]{14}",  # Mastercard, and its second series
    r"2(22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}",
    r"3[47][0-9]{13}",  # American Express
    r"3(0[0-5]|[689][0-9])[0-9]{11}|3095[0-9]{10}",  # Diners Club
    r"35[0-9]{14,17}|(2131|1800)[0-9]{11}",  # JCB
    r"(6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12,15}",  # Discover
    r"62[0-9]{14,17}|81([0-6][0-9]|7[01])[0-9]{12,15}",  # UnionPay
    r"(5018|5020|5038|5[678][0-9]{2}|6304|6759|676[123])[0-9]{8,15}",  # Maestro
    r"220[0-4][0-9]{12,15}",  # Mir
    r"(60|82)[0-9]{14}",  # RuPay
)
IBAN_LENGTHS = {"GB": 22, "DE": 22, "NO": 15, "FR": 27, "MT": 31, "BE": 16}


def luhn(digits: str) -> bool:
    values = [int(digit) for digit in reversed(digits)]
    return sum(values[::2] + [sum(divmod(2 * value, 10)) for value in values[1::2]]) % 10 == 0


def cards(text: bytes) -> list[tuple[int, int]]:
    found, place = [], 0
    while place < len(text):
        if not text[place : place + 1].isdigit():
            place += 1
            continue
        stop = next((stop for stop in _card_ends(text, place)), None)
        if stop:
            found.append((place, stop))
        place = stop or place + 1
    return found


def _card_ends(text: bytes, place: int) -> list[int]:
    ends = []
    for pattern in CARD:
        match = re.compile(APART + pattern + ENDS).match(text, place)
        digits = re.sub(rb"[^0-9]", b"", match[0]).decode() if match else ""
        if match and luhn(digits) and any(re.fullmatch(issuer, digits) for issuer in ISSUERS):
            ends.append(match.end())
    return ends


def ibans(text: bytes) -> list[tuple[int, int]]:
    found = []
    for country, length in IBAN_LENGTHS.items():
        body = rb"(?:[ -]?[A-Z0-9]){%d}" % (length - 4)
        for match in re.finditer(APART + country.encode() + rb"[0-9]{2}" + body + ENDS, text):
            letters = re.sub(rb"[ -]", b"", match[0]).decode()
            if int("".join(str(int(letter, 36)) for letter in letters[4:] + letters[:4])) % 97 == 1:
                found.append(match.span())
    return sorted(found)


def ssns(text: bytes) -> list[tuple[int, int]]:
    number = rb"(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}"
    return [match.span() for match in re.finditer(APART + number + ENDS, text)]


NAIVE = {"card": cards, "iban": ibans, "ssn": ssns}


def found(kind: Kind, texts: list[str], regions: tuple[str, ...] = ()) -> list[list[tuple[int, int]]]:
    column = pa.array(texts, pa.large_string())
    by_row = dict(find_personal(column, frozenset([kind]), regions))
    return [
        [(each.start, each.end) for each in by_row[row].spans] if row in by_row else [] for row in range(len(texts))
    ]


def with_luhn(start: str) -> str:
    return next(f"{start}{digit}" for digit in range(10) if luhn(f"{start}{digit}"))


def iban(country: str, random: Random) -> str:
    letters = "".join(random.choices("0123456789AZ", k=IBAN_LENGTHS[country] - 4))
    number = int("".join(str(int(letter, 36)) for letter in f"{letters}{country}00"))
    return f"{country}{98 - number % 97:02}{letters}"


def grouped(number: str, sizes: list[int], separator: str) -> str:
    parts = []
    for size in sizes:
        parts.append(number[:size])
        number = number[size:]
    return separator.join(filter(None, [*parts, number]))


NUMBERS = st.one_of(
    st.builds(
        lambda start, more, sizes, separator: grouped(with_luhn(start + more), sizes, separator),
        st.sampled_from(["4", "51", "2720", "2721", "37", "36", "3528", "180", "6011", "62", "6759", "9", "0604"]),
        st.text("0123456789", min_size=9, max_size=17),
        st.sampled_from([[], [], [4, 4, 4, 4], [4, 6], [4, 4, 5], [4]]),
        st.sampled_from([" ", "-", "  "]),
    ),
    st.builds(
        lambda country, seed, size, separator: grouped(iban(country, Random(seed)), [size] * 9, separator),
        st.sampled_from(sorted(IBAN_LENGTHS)),
        st.integers(0, 1000),
        st.sampled_from([4, 5, 40]),
        st.sampled_from([" ", "-"]),
    ),
    st.from_regex(r"[0689][0-69]{2}-[0-9]{2}-0?[0-9]{3,4}", fullmatch=True),
    st.text("0123456789", min_size=1, max_size=20),
)
BETWEEN = st.sampled_from(
    ["", " ", " ", "-", ".", "/", "_", "a", "Z", "é", "\n", "x 1", "-1", ".1", "+", "#", "№", "٣"]
)
TEXTS = st.lists(st.builds(str.__add__, NUMBERS, BETWEEN) | BETWEEN, max_size=8).map("".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_numbers_are_those_of_a_naive_program(texts: list[str]) -> None:
    for kind, naive in NAIVE.items():
        assert found(kind, texts) == [naive(text.encode()) for text in texts], kind  # type: ignore[arg-type]


NAMES: dict[str, Kind] = {
    "EMAIL_ADDRESS": "email",
    "IP_ADDRESS": "ip",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_SSN": "ssn",
    "PHONE_NUMBER": "phone",
}
BARS = {"email": (1, 1), "ip": (1, 1), "card": (0.91, 0.97), "iban": (0.95, 0.98), "ssn": (0.85, 0.85)}


@pytest.mark.parametrize("half", [0, 1])
def test_recall_and_precision_on_made_up_texts(shared: Path, half: int) -> None:
    with gzip.open(shared / "data" / "pii" / "synthetic.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for number, line in enumerate(lines) if number % 2 == half]
    regions = ("US", "GB", "CH", "SE")
    by_row = dict(find_personal(pa.array([row["text"] for row in rows], pa.large_string()), frozenset(KINDS), regions))
    right, true, claimed = Counter[str](), Counter[str](), Counter[str]()
    for number, row in enumerate(rows):
        spans = {
            (*(len(row["text"][: span[end]].encode()) for end in ("start_position", "end_position")), kind)
            for span in row["spans"]
            if (kind := NAMES.get(span["entity_type"]))
        }
        got = {(each.start, each.end, each.kind) for each in by_row[number].spans} if number in by_row else set()
        for counter, values in ((true, spans), (claimed, got), (right, spans & got)):
            counter.update(kind for *_, kind in values)
    for kind, (recall, precision) in BARS.items():
        assert right[kind] >= recall * true[kind], kind
        assert right[kind] >= precision * claimed[kind], kind
    assert claimed["key"] == 0
    print("phones: recall", right["phone"] / true["phone"], "precision", right["phone"] / claimed["phone"])


EXAMPLES = {
    "AKIA": "AKIA" + "Q" * 16,
    "AWS_": "AWS_SECRET_ACCESS_KEY = '" + "a/" * 20,
    "ghp_": "ghp_" + "a" * 36,
    "gith": "github_pat_" + "a" * 22 + "_" + "b" * 59,
    "glpa": "glpat-" + "a" * 20,
    "AIza": "AIza" + "b-" * 17 + "c",
    "GOCS": "GOCSPX-" + "c" * 28,
    "ya29": "ya29." + "d" * 40,
    "xoxb": "xoxb-123456789012-" + "e" * 24,
    "xapp": "xapp-1-A01-123-" + "f" * 32,
    "hook": "hooks.slack.com/services/T0/B0/" + "g" * 24,
    "sk_l": "sk_live_" + "h" * 24,
    "whse": "whsec_" + "i" * 32,
    "sk-": "sk-ant-api03-" + "j" * 40,
    "hf_": "hf_" + "k" * 34,
    "npm_": "npm_" + "l" * 36,
    "pypi": "pypi-AgEIcHlwaS5vcmc" + "m" * 60,
    "SG.": "SG." + "n" * 22 + "." + "o" * 43,
    "dop_": "dop_v1_" + "a" * 64,
    "shpa": "shpat_" + "b" * 32,
    "eyJ": "eyJ" + "p" * 10 + ".eyJ" + "q" * 10 + "." + "r" * 20,
    "----": "-----BEGIN RSA PRIVATE KEY-----\n" + "s" * 64 + "\n-----END RSA PRIVATE KEY-----",
}


def test_every_format_of_keys_has_an_example_that_is_found() -> None:
    assert all(set(each.prefixes) & EXAMPLES.keys() for each in FORMATS)
    for example in EXAMPLES.values():
        start, end = key_at(example.encode()) or (0, 0)
        assert end == len(example)
        text = f'é{chr(10)}the key ({example}), and again:"{example}"'
        [redacted] = Redact(kinds=("key",)).rewrite(pa.array([text], pa.large_string())).to_pylist()
        secret = example[start:end]
        assert redacted == text.replace(secret, "<KEY_1>")
        assert found("key", [example[:-30]]) == [[]]
        assert found("key", [f"no{example}"])[0] == ([(2, end + 2)] if example.startswith("-") else [])


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-" + "a-" * 36 + "T3BlbkFJ" + "b" * 40,
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,3F17F5316E2BAC89\n\n"
        + "s" * 64
        + "\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_keys_with_hyphens_inside_are_found_whole(key: str) -> None:
    assert key_at(f"{key} and more".encode()) == (0, len(key))


@pytest.mark.parametrize("prefix", ["sk-", "-eyJ", ".xoxb", "xoxb-", "-----BEGIN PRIVATE KEY-----"])
def test_a_text_of_prefixes_alone_takes_time_that_grows_with_its_length(prefix: str) -> None:
    """Each place reads at most a few thousand bytes: a megabyte of ``sk-`` took over a minute."""

    def seconds(size: int) -> float:
        text = (prefix * size)[:size].encode() + b"_"
        began = process_time()
        list(keys_at(text, range(0, size, len(prefix))))
        return process_time() - began

    seconds(1000)
    assert min(seconds(30_000) for _ in range(2)) < 1


VALUES: dict[Kind, tuple[str, ...]] = {
    "email": ("jo@example.org", "ann@example.org", "JO@example.org"),
    "ip": ("8.8.8.8", "9.9.9.9", "2001:4860:4860::8888"),
    "card": ("4111 1111 1111 1111", "4111111111111111", "5555555555554444"),
    "iban": ("GB82 WEST 1234 5698 7654 32", "GB82WEST12345698765432", "DE89370400440532013000"),
    "ssn": ("123-45-6789", "321-54-9876"),
    "phone": ("(602) 272-9781", "602-272-9781", "+1 602 272 9782"),
    "key": (EXAMPLES["AKIA"], EXAMPLES["ghp_"]),
}
ALIKE = {"JO@example.org": 0, "4111111111111111": 0, "GB82WEST12345698765432": 0, "602-272-9781": 0}
"""Values that are the same as the first of their kind."""


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([(kind, value) for kind in KINDS for value in VALUES[kind]]), max_size=12),
    st.sets(st.sampled_from(KINDS), min_size=1),
)
def test_equal_values_get_equal_stand_ins_and_nothing_else_changes(
    values: list[tuple[Kind, str]], kinds: set[Kind]
) -> None:
    text = "".join(f"é then: {value} ;\n" for _, value in values)
    step = Redact(kinds=tuple(sorted(kinds)), regions=("US",) if "phone" in kinds else ())
    column = pa.array(["no value", text, text[::-1], text], pa.large_string())
    rewritten, counts = step.rewrite_and_count(column)
    seen: dict[Kind, list[str]] = {kind: [] for kind in KINDS}
    expected = ""
    for kind, value in values:
        shown = value
        if kind in kinds:
            same = VALUES[kind][ALIKE[value]] if value in ALIKE else value
            if same not in seen[kind]:
                seen[kind].append(same)
            shown = f"<{kind.upper()}_{seen[kind].index(same) + 1}>"
        expected += f"é then: {shown} ;\n"
    assert rewritten[1].as_py() == rewritten[3].as_py() == expected
    assert rewritten[0].as_py() == "no value"
    times = Counter(kind for kind, _ in values)
    assert [counts[f"redacted_{kind}"][1].as_py() for kind in KINDS] == [
        times[kind] if kind in kinds else None for kind in KINDS
    ]
    assert counts.schema == COUNTS
    assert step.rewrite(rewritten).equals(rewritten) or text[::-1] in rewritten.to_pylist()


def test_a_value_within_another_is_part_of_it() -> None:
    text = "602-272-9781@example.org, jo@[8.8.8.8], 4111111111111111@example.org"
    for kinds in permutations(KINDS, 3):
        step = Redact(kinds=(*kinds, *(kind for kind in KINDS if kind not in kinds)), regions=("US",))
        assert step.rewrite(pa.array([text], pa.large_string())).to_pylist() == ["<EMAIL_1>, <EMAIL_2>, <EMAIL_3>"]


@pytest.mark.parametrize(
    ("settings_", "said"),
    [
        ({"kinds": ()}, "redact.kinds is empty: give one or more of key, email, ip, iban, card, ssn, phone, or leave"),
        ({"kinds": ("phone",)}, "regions"),
        ({"kinds": ("email",), "regions": ("US",)}, "regions"),
        ({"kinds": ("phone",), "regions": ("XX",)}, "choose from"),
        ({"kinds": ("email",), "stand_in": "<{number}>"}, "{kind} and {number}"),
        ({"kinds": ("email",), "ip": None}, "without kinds only"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings_: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        Redact(**settings_)  # type: ignore[arg-type]
