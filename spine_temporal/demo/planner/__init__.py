"""How the offline provider decides, from the conversation alone."""
