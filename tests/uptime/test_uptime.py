"""The drills in short: `make drill-rolling` and `make drill-database` are the whole of them."""

from collections.abc import Iterator

import pytest

from tests.processes import haproxy
from tests.uptime import drills
from tests.uptime.load import Load
from tests.uptime.site import Site
from tests.uptime.verdict import reconciled, verdict

pytestmark = [
    pytest.mark.xdist_group("uptime"),
    pytest.mark.skipif(haproxy() is None, reason="there is no haproxy (Debian: apt-get install)"),
]

RATE = 30.0  # requests a second, beside another test


@pytest.fixture(scope="module")
def shop() -> Iterator[tuple[Site, Load]]:
    """The service behind its balancer, which asks often, so that little time is enough to drain."""
    quick = {"WEB_DRAIN_SECONDS": "1", "WEB_CONCURRENCY": "1"}
    with Site(checked=0.2, **quick) as site:
        yield site, drills.open_shop(site)


def test_instance_and_worker_that_are_replaced_fail_no_call(shop: tuple[Site, Load]) -> None:
    assert drills.rolling(*shop, rate=RATE, only=["web1", "worker"]) == []
    assert verdict(*shop, within=30.0) == []


def test_database_away_is_a_clean_503_and_then_all_goes_on(shop: tuple[Site, Load]) -> None:
    """What was in the middle of a call then is settled later than a test waits."""
    assert drills.database(*shop, rate=RATE, seconds=2.0) == []
    assert verdict(*shop, within=0) == []
    assert reconciled(shop[0], settled=False) == []
