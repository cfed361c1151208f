"""Scores with their reasons: exact contributions, sentences and the records behind them."""
