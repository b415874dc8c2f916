"""The errors that a command shows as one sentence. A bug raises another error and ends with a traceback."""

CHANGED = "the file was changed or damaged after Gristmill wrote it: restore the original file"
"""The end of the message of a DamagedError, for every file that Gristmill wrote: manifests, reports and journals."""


class UserError(Exception):
    """A mistake of the user: one sentence says what is wrong, where, and what to do. Exit code 2."""


class InputError(UserError):
    """An input cannot be listed: nothing matches, permission is missing, or no installed file system has the scheme."""


class DamagedError(UserError):
    """A file that Gristmill wrote was changed or damaged later. The sentence names the file and the place in it."""


class RunError(Exception):
    """A failure outside of the program, such as a full disk, in one sentence. Exit code 1."""
