"""The workflows that several runs share: budgets, rates, leases, checkpoint carriers.

They outlive every version of a worker: each of their tasks goes to the version that is current (AUTO_UPGRADE).
"""
