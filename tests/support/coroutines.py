"""Runs coroutines in a separate thread: a browser session of another test may keep an event loop in the main thread."""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def run(coroutine):
    """Run a coroutine to its end and return its result, wherever the caller runs."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
