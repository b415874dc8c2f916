"""Comparisons out, in the form that each trainer reads; and the proof that it reads the same."""

from annotation.exports.check import Checked, check, describe_export
from annotation.exports.comparing import Fault
from annotation.exports.export import export
from annotation.exports.exported import Exported
from annotation.exports.formats import FORMATS, MARGINS, Format

__all__ = ["FORMATS", "MARGINS", "Checked", "Exported", "Fault", "Format", "check", "describe_export", "export"]
