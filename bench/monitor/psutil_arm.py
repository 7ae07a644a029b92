# Watches the machine once a second with psutil: python3 bench/monitor/psutil_arm.py SECONDS
import json, resource, sys, time
import psutil

def sample():
    psutil.virtual_memory()
    psutil.swap_memory()
    psutil.cpu_percent(interval=None)
    psutil.getloadavg()

def used():
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime

def run(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sample()
        time.sleep(1)

run(5)
before, started = used(), time.monotonic()
run(float(sys.argv[1]))
share = (used() - before) / (time.monotonic() - started)
print(json.dumps({"ownPercent": share * 100, "childPercent": 0, "residentBytes": psutil.Process().memory_info().rss}))
