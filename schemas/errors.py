"""The errors that a command shows as one sentence. A bug is neither: it raises as it is."""

CHANGED = "the manifest was changed or damaged since it was written: put it back as it was"


class UserError(Exception):
    """The user's own mistake: one sentence that says what, where and what to do. The command ends with exit code 2."""


class InputError(UserError):
    """An input that cannot be listed: nothing matches, no permission, or a scheme that no file system here opens."""


class DamagedError(UserError):
    """A file that Gristmill wrote was changed or damaged since; the sentence names the file and the place in it."""


class RunError(Exception):
    """A failure outside of the program, such as a full disk: one sentence. The command ends with exit code 1."""
