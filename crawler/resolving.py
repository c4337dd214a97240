"""Names of hosts to addresses, and none that lies inside: a source's name must not lead into the operator's network.

Whoever answers for a name decides where a request goes (SSRF): to a cloud's metadata service, to a database's port.
A site that the operator names with `--base-url` is asked wherever it lies; a source's own hosts are public ones.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence

from scrapy.resolver import CachingThreadedResolver
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError

log = logging.getLogger("crawler")


class PublicResolver(CachingThreadedResolver):
    """Scrapy's own resolver, which then refuses addresses that are not public."""

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:
        """The name's IPv4 address; fails with DNSLookupError when it is not public."""
        return super().getHostByName(name, timeout).addCallback(public, name)


def public(address: str, name: str) -> str:
    """The address.

    Raises:
        DNSLookupError: when it is private, loopback, link-local, reserved or a multicast one (RFC 6890).
    """
    found = ipaddress.ip_address(address)
    if not found.is_global or found.is_multicast:
        log.warning("%s: its address %s is not public, so it is not asked; see the name server", name, address)
        raise DNSLookupError(f"{name}: its address {address} is not public")
    return address
