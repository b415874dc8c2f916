"""Signs checkpoints of a journal's chain with a key that lies outside the campaign's folder, and verifies them."""

import os
import re
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from annotation.journal.journal import Journal, Signature
from schemas.errors import UserError
from schemas.folders import new_files

KEY = "GRISTMILL_SIGNING_KEY"
"""The environment variable that names the file of the private key."""
PUBLIC_KEY = "campaign.pub"
"""The name of the file of the public key, in a campaign's folder."""


def key_file() -> Path:
    """``$GRISTMILL_SIGNING_KEY``, else ``gristmill/signing_key.pem`` in the user's configuration folder."""
    if named := os.environ.get(KEY):
        return Path(named).expanduser().absolute()
    shared = os.environ.get("XDG_CONFIG_HOME")
    return (Path(shared) if shared else Path.home() / ".config") / "gristmill" / "signing_key.pem"


def sign(journal: Journal, path: Path) -> str | None:
    """Signs the newest row with the private key of ``path``, which is made if it is missing, unless this row is signed.

    Writes the public key beside the journal; returns it in hexadecimal digits if this key is new to the journal, else
    None. Raises UserError if the key cannot be read or made, or lies in the campaign's folder.
    """
    folder = journal.path.parent
    if folder.resolve() in path.resolve().parents:
        raise UserError(f"the signing key {path} lies in the folder that it protects: set {KEY} to another place")
    key = _load_or_make(path)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    revision, head = journal.head()
    known = journal.signatures()
    if (revision, public) not in {(signed, by) for signed, _, by, _ in known}:
        journal.add_signature((revision, head, public, key.sign(_message(revision, head))))
    if any(by == public for _, _, by, _ in known):
        return None
    try:
        (folder / PUBLIC_KEY).write_text(f"{public.hex()}\n", encoding="ascii")
    except OSError as error:
        raise UserError(f"{folder / PUBLIC_KEY} cannot be written: {error.strerror}") from error
    return public.hex()


def is_valid(signature: Signature) -> bool:
    """Whether a checkpoint was signed by the key that it names."""
    revision, head, public, signed = signature
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signed, _message(revision, head))
    except (InvalidSignature, ValueError):
        return False
    return True


def read_public_key(path: Path) -> bytes:
    """The public key in a file, as `sign` writes it. Raises UserError if the file holds none."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise UserError(f"the public key {path} cannot be read: name a file such as {PUBLIC_KEY}") from error
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise UserError(f"{path} is not a public key: name a file with 64 hexadecimal digits, such as {PUBLIC_KEY}")
    return bytes.fromhex(text)


def _message(revision: int, head: bytes) -> bytes:
    return b"gristmill checkpoint\n" + revision.to_bytes(8, "big") + head


def _load_or_make(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        try:
            _make(path)
        except UserError:
            if not path.exists():  # else another command made it meanwhile
                raise
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise UserError(f"the signing key {path} cannot be read ({error.strerror}): set {KEY}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UserError(f"the signing key {path} is not a private key in PEM without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UserError(f"the signing key {path} is not an Ed25519 key")
    return key


def _make(path: Path) -> None:
    made = Ed25519PrivateKey.generate()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"the signing key {path} cannot be made ({error.strerror}): set {KEY}") from error
    with new_files(path, private=True) as [unfinished]:
        unfinished.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
