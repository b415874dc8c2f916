"""The recipes that ship, as TOML files: copy one and edit it. `tables` makes recipes of such tables."""
