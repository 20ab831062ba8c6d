"""The job on other agent integrations for Temporal, each in an environment of its own.

The module of a peer has the name of its environment under `.bench/` and defines `worker()`: what a Temporal worker is
given. Its workflow is called `bench.<module>` and takes steps and bytes, as the bare one does. The project's own
environment knows none of their packages and imports none of these modules.
"""
