"""Nobody can import this."""

raise RuntimeError("the flux capacitor is missing")
