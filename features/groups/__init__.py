"""Groups for describing and auditing, and the disclosure control of their counts."""
