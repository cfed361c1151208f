"""Groups for descriptions and audits, and disclosure control of their counts."""
