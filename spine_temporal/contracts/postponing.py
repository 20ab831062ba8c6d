"""A step, or a tool call, that is to be tried again later."""


class RetryLater(Exception):
    """Raised in a worker: its turn comes in `wait_s` seconds, nobody has to sit there and wait.

    The activity is tried again then, from its first hook on; the attempt does not count.
    """

    def __init__(self, wait_s: float, why: str = "") -> None:
        super().__init__(why or f"postponed for {wait_s:g} s")
        self.wait_s = wait_s
