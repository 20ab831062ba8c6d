"""The doing: hooks, providers, tools. The only room that runs the user's code."""
