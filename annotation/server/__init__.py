"""The embedded Label Studio: installed, started, stopped, backed up and restored on this machine."""
