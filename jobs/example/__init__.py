"""The campaigns that ``gristmill campaign new`` writes: settings with comments, prompts with responses, gold pairs."""
