"""`python -m tests.bench`: what meetbot costs, beside its budgets and a plain client."""
