"""Tallies: what is counted of each child, block by block, and what is counted of the children around."""
