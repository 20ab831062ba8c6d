"""Workers that live for a short time only."""
