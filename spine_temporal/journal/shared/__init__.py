"""The thinking of the workflows that guard money, side effects, rates over all workers."""
