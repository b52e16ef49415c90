"""How often strangers may guess. Kept in memory: a restart forgives."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

from streamhost.features.accounts.errors import TooManyAttempts
from streamhost.model.clock import MINUTE, Clock, Timestamp

_REMEMBERED = 20_000
"""Keys a limit remembers; the ones that were idle longest are forgotten first, so memory stays bounded."""
_IPV6_CUSTOMER_BITS = 64
"""One customer has at least a /64 of IPv6 addresses, so they count as one."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: Timestamp


class Limit:
    """Token buckets by key: `burst` at once, then one every `seconds`. It refills, so nothing is locked for ever."""

    def __init__(self, burst: int, seconds: float, clock: Clock) -> None:
        self._burst = burst
        self._seconds = seconds
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, key: str) -> float:
        """Seconds until `key` may try again; 0: at once."""
        bucket = self._buckets.get(key)
        return 0.0 if bucket is None else max(0.0, (1.0 - self._filled(bucket)) * self._seconds)

    def spend(self, key: str) -> None:
        """Count one against `key`."""
        bucket = self._buckets.setdefault(key, _Bucket(self._burst, self._clock()))
        bucket.left = max(0.0, self._filled(bucket) - 1.0)
        bucket.at = self._clock()
        self._buckets.move_to_end(key)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)

    def forget(self, key: str) -> None:
        """Forgive everything that was counted against `key`."""
        self._buckets.pop(key, None)

    def _filled(self, bucket: _Bucket) -> float:
        passed = max(0.0, self._clock() - bucket.at)
        return min(self._burst, bucket.left + passed / self._seconds)


class LoginLimits:
    """Slows down guessing of passwords without giving strangers the power to lock somebody out.

    Failures count against the account as tried from one network, against the network, and against the account as such.
    The last does not bind networks from which the account has been signed in to before, nor one from which its owner
    has just followed a link in a mail: whoever floods an account from elsewhere does not keep its owner out, neither at
    home nor in a new place. Loopback stands for a proxy, so it has no limit as a network.
    """

    def __init__(self, clock: Clock) -> None:
        self._pairs = Limit(8, 15.0, clock)
        self._accounts = Limit(24, 20.0, clock)
        self._networks = Limit(40, 5.0, clock)
        self._vouched: OrderedDict[str, None] = OrderedDict()

    def check(self, account: str, address: str, *, known: bool) -> None:
        """Raise `TooManyAttempts` unless `account` may be tried from `address` now."""
        network = network_of(address)
        waits = [self._pairs.wait(f"{account} {network}")]
        if network:
            waits.append(self._networks.wait(network))
        if not self._knows(account, network, known=known):
            waits.append(self._accounts.wait(account))
        if (longest := max(waits)) > 0:
            raise TooManyAttempts(retry_after=longest)

    def failed(self, account: str, address: str, *, known: bool) -> None:
        """Count a wrong password."""
        network = network_of(address)
        self._pairs.spend(f"{account} {network}")
        if network:
            self._networks.spend(network)
        if not self._knows(account, network, known=known):
            self._accounts.spend(account)

    def vouched(self, account: str, address: str) -> None:
        """Somebody has shown from here that the mail of `account` is theirs: this is a place of its owner's."""
        pair = f"{account} {network_of(address)}"
        self._pairs.forget(pair)
        self._vouched[pair] = None
        self._vouched.move_to_end(pair)
        if len(self._vouched) > _REMEMBERED:
            self._vouched.popitem(last=False)

    def _knows(self, account: str, network: str, *, known: bool) -> bool:
        return known or f"{account} {network}" in self._vouched

    def succeeded(self, account: str, address: str) -> None:
        """Forgive what was mistyped before the right password came."""
        self._pairs.forget(f"{account} {network_of(address)}")


class UnknownLimits:
    """How many refused sign-ins to accounts that do not exist are written down for good: what strangers type must not
    fill the disk. Those to accounts that exist are bounded by the limits on each."""

    def __init__(self, clock: Clock) -> None:
        self._all = Limit(100, 10.0, clock)

    def worth_writing(self) -> bool:
        """Whether one more may be written down; counts it."""
        if self._all.wait("") > 0:
            return False
        self._all.spend("")
        return True


class CodeLimits:
    """How often codes of a second factor may be guessed, for each account: whoever gets so far has the password.

    Ten at once and one a minute: of a million codes, three of which fit, that finds one in 200 days by even odds."""

    def __init__(self, clock: Clock) -> None:
        self._accounts = Limit(10, MINUTE, clock)

    def take(self, user_id: str) -> None:
        """Count a guess; raises `TooManyAttempts` when there were too many."""
        if (wait := self._accounts.wait(user_id)) > 0:
            raise TooManyAttempts(retry_after=wait)
        self._accounts.spend(user_id)

    def forget(self, user_id: str) -> None:
        """A code fitted: forgive the guesses before it."""
        self._accounts.forget(user_id)


class RegistrationLimits:
    """Keeps one network from filling the catalog with accounts, and others' mailboxes with our mail."""

    def __init__(self, clock: Clock) -> None:
        self._networks = Limit(20, MINUTE, clock)

    def count(self, address: str) -> None:
        """Count a request; raises `TooManyAttempts` when there were too many."""
        network = network_of(address)
        if not network:
            return
        if (wait := self._networks.wait(network)) > 0:
            raise TooManyAttempts(retry_after=wait)
        self._networks.spend(network)


def same_network(one: str, other: str) -> bool:
    """Whether two addresses may well be the same customer's."""
    return one == other or (bool(network_of(one)) and network_of(one) == network_of(other))


def network_of(address: str) -> str:
    """The network that one customer has: an IPv4 address, an IPv6 /64; empty for loopback and for no address at all."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return "" if ip.is_loopback else str(ipaddress.ip_network((ip, _IPV6_CUSTOMER_BITS), strict=False))
        ip = ip.ipv4_mapped
    return "" if ip.is_loopback else str(ip)
