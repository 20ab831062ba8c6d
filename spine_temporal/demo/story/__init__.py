"""The demo: an agent that outlives its worker, shown in the terminal."""
