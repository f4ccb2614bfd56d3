"""The scales: rcorn beside its peers, in one run, in µs of CPU per request. `make bench`; docs/performance.md has results."""
