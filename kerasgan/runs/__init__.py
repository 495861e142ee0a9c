"""Training runs: a recipe as a TOML file, trained in a folder of its own, resumed after anything, and found again."""
