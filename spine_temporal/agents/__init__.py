"""Who can run: agents by name, what a run must know of them. No Temporal."""
