"""What is said across the wire, without behaviour."""
