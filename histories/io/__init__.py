"""Files, hashes, memory, pictures and the terminal: tools of every room that know no table."""
