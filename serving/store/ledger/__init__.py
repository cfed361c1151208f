"""The audit's chain: entries, keys, anchors and refusals."""
