"""Settings of all tests."""

from hypothesis import HealthCheck, settings

# A loaded machine is slow, not wrong: time proves nothing here.
settings.register_profile("adjudex", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("adjudex")
