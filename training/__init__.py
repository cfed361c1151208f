"""Training: a model that can be defended, and the registry that says which one serves."""
