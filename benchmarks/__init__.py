"""Speed against peers. Each `bench_<thing>.py` prints one table; `make bench` records them
all."""
