"""What the scripts of peers share: `result SECONDS QUALITY` is what bench.sh reads. Time begins once libraries are imported."""
import time

_begin = time.perf_counter()
_end = None


def begin():
    global _begin
    _begin = time.perf_counter()


def stop():
    """What comes after this is for judging only, and takes no time."""
    global _end
    _end = time.perf_counter()


def result(quality=""):
    print("result", "%.6f" % ((_end or time.perf_counter()) - _begin), quality)
