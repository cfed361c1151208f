"""A wall clock that can be stepped for one process and its children only.

A few lines of C, compiled on demand and preloaded, add a number of seconds from a file to every wall time.
"""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static volatile long *seconds;
__attribute__((constructor)) static void open_it(void) {
    const char *name = getenv("STEPPED_CLOCK");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    void *there = file < 0 ? MAP_FAILED : mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
    if (there != MAP_FAILED) seconds = there;
    if (file >= 0) close(file);
}
int clock_gettime(clockid_t which, struct timespec *at) {
    int failed = syscall(SYS_clock_gettime, which, at);
    if (!failed && seconds && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) at->tv_sec += *seconds;
    return failed;
}
int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    int failed = clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return failed;
}
time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""


class SteppedClock:
    """The clock of processes started with ``environment``."""

    def __init__(self, folder: Path) -> None:
        self.offset_file, library = folder / "seconds", folder / "stepped_clock.so"
        self.step(0)
        command = ["cc", "-shared", "-fPIC", "-O2", "-x", "c", "-", "-o", str(library)]
        subprocess.run(command, input=SOURCE, text=True, check=True)
        self.environment = {"LD_PRELOAD": str(library), "STEPPED_CLOCK": str(self.offset_file)}

    def step(self, seconds: int) -> None:
        """Set the clock's offset from the machine's, in seconds."""
        with self.offset_file.open("r+b" if self.offset_file.exists() else "wb") as offset_file:
            offset_file.write(struct.pack("l", seconds))
