"""How long records are kept: retention, erasure and legal holds."""
