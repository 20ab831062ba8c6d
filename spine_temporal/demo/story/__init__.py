"""The demo: an agent that outlives its worker, told in the terminal."""
