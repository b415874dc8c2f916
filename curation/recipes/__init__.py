"""The built-in recipes as TOML files, to copy and edit. `tables` makes recipes of such tables."""

RECIPE_NAMES = ("c4", "fineweb", "gopher", "none")
"""The built-in recipes."""
