"""Compile numba's loops before the tests need them: each worker, and each command that a test starts, would do it anew."""

from training.compile_loops import compile_all

if __name__ == "__main__":
    compile_all()
