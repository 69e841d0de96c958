"""HTTP servers and their limits, probes, the scheduler and the shutdown of the process."""
