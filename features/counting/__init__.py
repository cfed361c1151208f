"""Tallies: counts for each child, block by block, and for the children around it."""
