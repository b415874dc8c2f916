"""The built-in recipes as TOML files, to copy and edit. `tables` makes recipes of such tables."""
