"""What is said across the wire: names and models, without behaviour."""
