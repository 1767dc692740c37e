"""What the log held, on disk: where it lies, and how stored past and live tail are read as one."""
