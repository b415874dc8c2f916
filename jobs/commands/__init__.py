"""What each command of the console script does."""
