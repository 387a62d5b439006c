"""The shell: one command per file, options, wiring. The only place that catches errors and picks the exit code."""
