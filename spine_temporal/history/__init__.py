"""Reading back: Temporal's events become journal entries, the entries a State."""
