"""What an annotation command tells its user. A bug is none of these: it raises as it is."""


class UserError(Exception):
    """The user's own mistake: one sentence that says what, where and what to do. The command ends with exit code 2."""


class RunError(Exception):
    """Label Studio, or something else outside the program, failed; one sentence. The command ends with exit code 1."""
