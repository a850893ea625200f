"""How long hypothesis looks for a counterexample; time alone fails no test on a busy machine."""

from hypothesis import settings

settings.register_profile("short", deadline=None)
settings.register_profile("long", deadline=None, max_examples=5_000)
settings.load_profile("short")
