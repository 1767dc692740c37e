"""Rules at levels: ticks and levels in, signals out.

Reads ``tick`` and ``level_computed``, merged by position, and writes ``signal_generated``. Owns the
rule sets, and what each rule knows of each level: edges, arming, cooldowns and daily counts.
"""
