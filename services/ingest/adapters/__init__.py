"""One outside thing each: the feeds, the instrument file, the shared anchor."""
