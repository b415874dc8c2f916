"""Keys and tokens of common services, found by the prefixes and lengths that the services publish."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.kernels.prefixes import PREFIX_BYTES

LONGEST = 16384
"""Maximum length of a key in bytes; an RSA key of 16,384 bits has 12,700."""
_BASE64URL = "[A-Za-z0-9_-]"


class Format(NamedTuple):
    """How a kind of key is written: what it begins with, and an expression for the whole, or for the key itself in the
    group ``key``."""

    prefixes: tuple[str, ...]
    expression: str


# What follows a prefix is bounded or possessive where it can hold the prefix: a text may consist of prefixes alone.
FORMATS = (
    # AWS: unique identifiers of access keys (IAM user guide, "IAM identifiers"), and the settings of the secret
    Format(("AKIA", "ASIA"), "(?:AKIA|ASIA)[A-Z2-7]{16}"),
    Format(
        ("aws_", "AWS_"),
        "(?i:aws_secret_access_key|aws_session_token)[\"']?[ \\t]*(?:=>|[:=])[ \\t]*[\"']?(?P<key>[A-Za-z0-9/+=]{40,})",
    ),
    # GitHub: "Behind GitHub's new authentication token formats" (2021), fine-grained tokens (2022)
    Format(("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), "gh[pousr]_[A-Za-z0-9]{36,251}"),
    Format(("gith",), "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    # GitLab: "Token overview", token prefixes
    Format(("glpa", "gldt", "glrt"), f"gl(?:pat|dt|rt)-{_BASE64URL}{{20,}}"),
    # Google: API keys, client secrets and access tokens (Cloud documentation, "Manage API keys"; "OAuth 2.0")
    Format(("AIza",), f"AIza{_BASE64URL}{{35}}"),
    Format(("GOCS",), f"GOCSPX-{_BASE64URL}{{28}}"),
    Format(("ya29",), f"ya29\\.{_BASE64URL}{{20,}}"),
    # Slack: "Token types" and "Incoming webhooks"
    Format(
        ("xoxa", "xoxb", "xoxe", "xoxo", "xoxp", "xoxr", "xoxs"),
        "xox[abeoprs](?:[.-][A-Za-z0-9]+){0,8}-[A-Za-z0-9-]{10,}",
    ),
    Format(("xapp",), "xapp-[0-9]-[A-Za-z0-9]+-[0-9]+-[A-Za-z0-9]{16,}"),
    Format(("hook",), "hooks\\.slack\\.com/services/(?P<key>T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{16,})"),
    # Stripe: "API keys", and the signing secrets of webhooks
    Format(("sk_l", "sk_t", "rk_l", "rk_t"), "[sr]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    Format(("whse",), "whsec_[A-Za-z0-9+/=]{24,}"),
    # OpenAI and Anthropic: as GitHub's "Supported secret scanning patterns" lists them
    Format(
        ("sk-",),
        f"sk-(?:ant-{_BASE64URL}{{32,}}|{_BASE64URL}{{16,256}}T3BlbkFJ{_BASE64URL}{{16,}})",
    ),
    # Hugging Face, npm, PyPI, SendGrid, DigitalOcean, Shopify: "Supported secret scanning patterns"
    Format(("hf_",), "hf_[A-Za-z0-9]{34}"),
    Format(("npm_",), "npm_[A-Za-z0-9]{36}"),
    Format(("pypi",), f"pypi-AgEIcHlwaS5vcmc{_BASE64URL}{{50,}}"),
    Format(("SG.",), f"SG\\.{_BASE64URL}{{22}}\\.{_BASE64URL}{{43}}"),
    Format(("dop_", "doo_", "dor_"), "do[opr]_v1_[a-f0-9]{64}"),
    Format(("shpa", "shpc", "shpp", "shps"), "shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    # JSON Web Tokens (RFC 7519): two JSON objects and a signature in base64url
    Format(("eyJ",), f"eyJ{_BASE64URL}{{8,4096}}+\\.eyJ{_BASE64URL}{{8,}}+\\.{_BASE64URL}{{8,}}"),
    # Private keys (RFC 7468; RFC 9580 for OpenPGP)
    Format(
        ("----",),
        "-----BEGIN (?P<label>(?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?)-----"
        "(?:[^-]|-(?!----)){40,}+-----END (?P=label)-----",
    ),
)
"""All kinds of keys that are known here."""

_EXPRESSIONS = {
    prefix: re.compile(each.expression.encode() + b"(?![A-Za-z0-9_])") for each in FORMATS for prefix in each.prefixes
}


class Prefixes(NamedTuple):
    """The prefixes as the kernel takes them."""

    pairs: npt.NDArray[np.uint8]
    prefixes: npt.NDArray[np.uint32]
    masks: npt.NDArray[np.uint32]


def _prefixes() -> Prefixes:
    written = sorted(prefix.encode() for prefix in _EXPRESSIONS)
    pairs = np.zeros(1 << 16, np.uint8)
    for index, prefix in enumerate(written):
        pairs[int.from_bytes(prefix[:2], "little")] = index + 1
    numbers = [int.from_bytes(prefix, "little") for prefix in written]
    masks = [(1 << 8 * len(prefix)) - 1 for prefix in written]
    return Prefixes(pairs, np.array(numbers, np.uint32), np.array(masks, np.uint32))


PREFIXES = _prefixes()


def key_at(text: bytes) -> tuple[int, int] | None:
    """The bounds of the key that a text begins with, or begins by naming; None if the text begins with no key.

    >>> key_at(b"AKIAIOSFODNN7EXAMPLE is in the documentation"), key_at(b"AKIA was here")
    ((0, 20), None)
    """
    for length in range(PREFIX_BYTES, 2, -1):
        expression = _EXPRESSIONS.get(text[:length].decode("ascii", "replace"))
        if expression and (found := expression.match(text)):
            return found.span("key" if "key" in expression.groupindex else 0)
    return None


def keys_at(text: bytes, places: Iterator[int]) -> Iterator[tuple[int, int]]:
    """The bounds of the keys that begin at the places, in ascending order, without overlap."""
    done = 0
    for place in places:
        if place >= done and (found := key_at(text[place : place + LONGEST])):
            yield place + found[0], place + found[1]
            done = place + found[1]
