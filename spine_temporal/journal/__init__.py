"""The thinking: what a run's history means, what comes next. No Temporal, no clock, no I/O."""
