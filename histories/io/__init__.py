"""Files, hashes, memory and the terminal: what every room needs and no table knows of."""
