"""Recipes, their states, and the stage that runs them: pure, no clock and no I/O."""
