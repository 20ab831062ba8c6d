"""What a spine run costs, as ratios to a bare Temporal workflow that does the same job in the same minutes.

`python -m tests.bench` (`make bench`). Absolute figures depend on the machine; a ratio taken within one run does not.
"""
