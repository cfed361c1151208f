"""The audit for those who examine it: reading, verifying, pruning, and the log of models."""
