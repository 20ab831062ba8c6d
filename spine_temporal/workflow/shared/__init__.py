"""The workflows that several runs share: budgets, rates, leases, checkpoint carriers."""
