"""Files, hashes, memory, pictures and the terminal, for every room; nothing here knows the tables."""
