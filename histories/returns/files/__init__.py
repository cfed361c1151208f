"""Files of returns, of any layout, as tables of text in a staging database."""
