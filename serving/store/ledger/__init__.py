"""The audit's hash chain: entries, keys, anchors and refusals."""
