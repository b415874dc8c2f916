"""What a run tells its user. A bug is none of these: it raises as it is."""


class UserError(Exception):
    """The user's own mistake: one sentence that says what, where and what to do. The command ends with exit code 2."""


class InputError(UserError):
    """An input that cannot be listed: nothing matches, no permission, or a scheme that no file system here opens."""


class RunError(Exception):
    """A run that could not finish for a cause outside the program; one sentence. The command ends with exit code 1."""
