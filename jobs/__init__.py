"""The console script `gristmill`, its job files and the demo. Imports everything; nothing imports it."""
