"""What is told of file systems that cannot be reached."""

from socket import EAI_NONAME, gaierror

from curation.sources.storage import reason


def test_a_host_without_an_address_is_reported_whatever_the_library_raises() -> None:
    known = gaierror(EAI_NONAME, "Name or service not known")
    raised = RuntimeError("[Errno -2] Name or service not known")
    raised.__cause__ = OSError("connection failed")
    raised.__cause__.__context__ = known
    for error in (known, raised):
        assert reason(error) == "the host cannot be reached (Name or service not known)"
