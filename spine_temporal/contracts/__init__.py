"""The models and names of the wire, without behaviour."""
