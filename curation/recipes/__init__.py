"""The recipes that ship, as TOML files: copy one and edit it."""
