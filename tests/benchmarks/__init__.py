"""How fast Scribe answers, beside what it could not be faster than: `python -m tests.benchmarks`.

Whatever is compared is measured in one run, taking turns, so that a busy machine slows all alike; read the ratios, not
the milliseconds.
"""
