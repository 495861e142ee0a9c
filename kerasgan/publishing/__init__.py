"""From a run to an entry of the zoo: packed as a preset, measured, with a card and a line in the table."""
