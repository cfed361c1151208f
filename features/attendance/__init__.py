"""Daily marks: a register packed into bits, and the compiled walk back through it."""
