"""A demonstration agent that answers questions about a folder of source code."""
