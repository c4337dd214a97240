"""The crawler's commands, one module each with `add(commands)`."""
