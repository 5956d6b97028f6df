"""Brokers, sites and what runs there, for every test of a running site."""

from contextlib import ExitStack

import pytest

from tests.brokers import Embedded, mosquitto_or_skip
from tests.running.ear import Ear
from tests.running.invariants import check
from tests.running.processes import Site
from tests.running.site_copy import write_copy


@pytest.fixture
def embedded():
    """The broker that the product brings along, as a process of its own."""
    with Embedded() as running:
        yield running


@pytest.fixture
def mosquitto(tmp_path):
    """A private mosquitto."""
    with mosquitto_or_skip(tmp_path) as running:
        yield running


@pytest.fixture(params=["embedded", "mosquitto"])
def broker(request):
    """The embedded broker, and mosquitto where it is installed."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def site_at(tmp_path):
    """Makes a site at a broker; whatever happened there, the invariants are checked at the end."""
    with ExitStack() as stack:

        def make(broker, *, port: int | None = None, **how) -> Site:
            ear = stack.enter_context(Ear(broker.port))
            path = write_copy(tmp_path, f"mqtt://127.0.0.1:{port or broker.port}", **how)
            site = Site(path, ear, how.get("batteries", ("bess1",)))
            stack.callback(lambda: check(ear.heard, site.state))
            stack.callback(site.end)
            return site

        yield make


@pytest.fixture
def site(site_at, embedded):
    """A site at the embedded broker."""
    return site_at(embedded)
