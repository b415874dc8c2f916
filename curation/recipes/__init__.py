"""The built-in recipes as TOML files, to copy and edit. `tables` makes recipes of such tables."""

RECIPE_NAMES = ("c4", "datamap", "datatrove", "dclm", "dolma", "fineweb", "fineweb2", "gopher", "nemo", "none")
"""The built-in recipes."""
