"""What callers hold: DurableAgent, Run."""
