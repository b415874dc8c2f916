"""Headers of browsers and of Label Studio are not forwarded; the gate sets its own."""

import re

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The content policy of all responses except pages."""

THEME_SCRIPT = "'sha256-fsZOebJJAnt3yfUgnelwRem8zqneW8EyLL123gBsTDY='"
"""The only script of Label Studio's page without a nonce: it sets the colour scheme before the page is drawn."""

_NONCE = re.compile(r"'nonce-([A-Za-z0-9+/=_-]{16,64})'")


def find_nonce(policy: str) -> str | None:
    """The nonce that Label Studio gave the scripts of its page, by the policy that it sent with the page.

    >>> find_nonce("script-src 'self' 'unsafe-inline' 'nonce-jET+37SnfyTCVoPt/bR2fg=='; default-src 'self'")
    'jET+37SnfyTCVoPt/bR2fg=='
    """
    found = _NONCE.search(policy)
    return found[1] if found else None


def page_policy(nonce: str | None) -> str:
    """The content policy of a page: scripts by nonce, and nothing from another server, so that no prompt with an image
    can see who reads it. Label Studio's frontend needs style attributes."""
    scripts = f"'self' 'nonce-{nonce}' {THEME_SCRIPT}" if nonce else "'self'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'self'; "
        "frame-src 'none'; object-src 'none'; frame-ancestors 'none'"
    )
