"""What a run shows of itself to those who watch it: spans."""
