"""Explained scores: exact contributions, sentences and the records behind them."""
