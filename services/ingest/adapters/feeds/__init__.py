"""Where prices come from: one folder a source, all behind one interface."""
