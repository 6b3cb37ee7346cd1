"""From prepared tiles to a trained run: the loop, the step, losses, state and processes."""
