"""Who the children are: names and other personal details from the people file, encrypted with a key of their own."""
