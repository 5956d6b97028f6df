"""Brokers for the tests of what talks to one."""

import pytest

from tests.brokers import Embedded, mosquitto_or_skip


@pytest.fixture(params=["embedded", "mosquitto"])
def broker(request, tmp_path):
    """The embedded broker, and mosquitto where it is installed."""
    with Embedded() if request.param == "embedded" else mosquitto_or_skip(tmp_path) as running:
        yield running


@pytest.fixture
def mosquitto(tmp_path):
    """A private mosquitto."""
    with mosquitto_or_skip(tmp_path) as running:
        yield running
