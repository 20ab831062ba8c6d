"""The command `spine-temporal`."""
