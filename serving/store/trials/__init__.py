"""Trials in the store: registered plans (in the audit), allocations and safety exceptions."""
