"""The address of the client: the peer's, or what the proxies that we trust say of it."""

import ipaddress
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
UNKNOWN = "unknown"


def client_address(request: HttpRequest) -> str:
    """Return the client's address.

    `X-Forwarded-For` counts only as far as the addresses from the right are in `TRUSTED_PROXIES`
    (addresses or networks); the first that is not, is the client. A server behind a Unix socket has no
    peer address: it is trusted where `TRUSTED_PROXIES` names `unix`.
    """
    trusted = tuple(settings.TRUSTED_PROXIES)
    peer = _parse(request.META.get("REMOTE_ADDR", ""))
    if not _is_proxy(peer, trusted):
        return str(peer) if peer else UNKNOWN
    client = peer
    for text in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        address = _parse(text)
        if address is None:
            break
        client = address
        if not _is_trusted(address, trusted):
            break
    return str(client) if client else UNKNOWN


def has_trusted_peer(request: HttpRequest) -> bool:
    """Whether the request comes from a proxy of `TRUSTED_PROXIES`, whose headers count."""
    return _is_proxy(_parse(request.META.get("REMOTE_ADDR", "")), tuple(settings.TRUSTED_PROXIES))


def client_network(request: HttpRequest) -> str:
    """Return what limits are counted by: the address, of IPv6 the /64 network that one customer has."""
    address = _parse(client_address(request))
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address) if address else UNKNOWN


def _is_proxy(peer: Address | None, trusted: tuple[str, ...]) -> bool:
    return bool(trusted) and (_is_trusted(peer, trusted) if peer else "unix" in trusted)


def _is_trusted(address: Address, trusted: tuple[str, ...]) -> bool:
    return any(address in network for network in _networks(trusted))


@lru_cache(maxsize=8)
def _networks(trusted: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(
        ipaddress.ip_network(text.strip(), strict=False) for text in trusted if text.strip() != "unix"
    )


def _parse(text: str) -> Address | None:
    text = text.strip().strip('"')
    if text.startswith("[") and "]" in text:
        text = text[1 : text.index("]")]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
