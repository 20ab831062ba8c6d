"""How the project is set up on a bare machine, how its workers are deployed."""
