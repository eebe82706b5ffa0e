"""For every test: property tests have no deadline, because a busy machine is no fault."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "default",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
# The same examples in every run: a change is judged by what it changes. `.ci/run` uses it.
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.load_profile("default")
