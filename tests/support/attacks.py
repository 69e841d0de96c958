"""How long the attacks of `tests/reliability/test_hostile_*.py` last: short in the suite, long as a benchmark."""

import os

ROUNDS_VARIABLE, SEED_VARIABLE = "ATTACK_ROUNDS", "ATTACK_SEED"
ROUNDS = int(os.environ.get(ROUNDS_VARIABLE, "1"))
"""How often each attack is made; more than one means that nobody waits for the result."""
SEED = int(os.environ.get(SEED_VARIABLE, "1"))
"""The seed of what is random in them."""
