"""Pupils' dated records: reading, checking, importing, linking and simulating them."""
