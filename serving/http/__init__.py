"""The JSON interface: routes, schemas, errors, limits at the edge, and the BentoML service."""
