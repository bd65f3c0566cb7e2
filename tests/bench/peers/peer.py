"""What the scripts of peers share: bench.sh reads `result SECONDS QUALITY`, where time begins once libraries are imported, and
`started SECONDS`, what the interpreter and the imports took before that."""
import os
import time

_begin = time.perf_counter()
_end = None
_started = None


def _since_start():
    """Seconds since this process was started, to a hundredth."""
    with open("/proc/self/stat") as stat:
        ticks = int(stat.read().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def begin():
    global _begin, _started
    _started = _since_start()
    _begin = time.perf_counter()


def stop():
    """What comes after this is for judging only, and takes no time."""
    global _end
    _end = time.perf_counter()


def result(quality=""):
    print("result", "%.6f" % ((_end or time.perf_counter()) - _begin), quality)
    if _started is not None:
        print("started", "%.2f" % _started)
