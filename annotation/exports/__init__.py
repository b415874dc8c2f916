"""Exports comparisons in the form that each trainer reads, and checks that the trainer reads the same data."""

from annotation.exports.check import Checked, check, describe_export
from annotation.exports.comparing import Fault
from annotation.exports.export import export
from annotation.exports.exported import Exported
from annotation.exports.formats import FORMATS, MARGINS, Format

__all__ = ["FORMATS", "MARGINS", "Checked", "Exported", "Fault", "Format", "check", "describe_export", "export"]
