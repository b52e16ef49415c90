"""`/metrics`: figures of the running program, in the text format of Prometheus."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from streamhost.config import InvalidSettings, Settings
from streamhost.late import late
from streamhost.measures import BUCKETS, Figure, Measures
from streamhost.model.errors import Forbidden
from streamhost.server.auth import public

if TYPE_CHECKING:
    import prometheus_client as prometheus
    from prometheus_client import core
else:
    prometheus = late("prometheus_client")
    core = late("prometheus_client.core")

PROXIED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Who comes through a proxy comes from elsewhere, though the proxy runs on this machine."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class MetricsClosed(Forbidden):
    """These figures are not for you."""

    code = "metrics_closed"
    hint = "They are for programs on this machine, and for the networks in metrics.allow."


def networks_of(settings: Settings) -> list[Network]:
    """The networks besides this machine that may look. Raises `InvalidSettings`."""
    try:
        return [ipaddress.ip_network(text, strict=False) for text in settings.metrics.allow]
    except ValueError as error:
        raise InvalidSettings(f"metrics.allow: {error}") from error


def check(request: Request[Any, Any, Any], networks: Sequence[Network]) -> None:
    """Raise `MetricsClosed` for whoever comes from elsewhere. Over a Unix socket, who may is a matter of its file."""
    if request.client is None:
        return
    try:
        address = ipaddress.ip_address(request.client.host.partition("%")[0])
    except ValueError:
        raise MetricsClosed from None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    here = address.is_loopback and not any(name in request.headers for name in PROXIED)
    if not here and not any(address in network for network in networks):
        raise MetricsClosed


class _Collected:
    """What `prometheus_client` asks for the figures."""

    def __init__(self, measures: Measures, figures: Sequence[Figure]) -> None:
        self._measures = measures
        self._figures = figures

    def collect(self) -> Iterator[Any]:
        """All figures as families of that library."""
        measures = self._measures
        answers = core.CounterMetricFamily("http_requests", "Requests answered.", labels=("method", "status"))
        for labels, count in sorted(measures.requests.items()):
            answers.add_metric(labels, count)
        yield answers
        bounds = [*map(str, BUCKETS), "+Inf"]
        boxes = list(zip(bounds, accumulate(measures.seconds), strict=True))
        times = core.HistogramMetricFamily("http_request_duration_seconds", "How long answers took.")
        times.add_metric((), boxes, measures.total_seconds)
        yield times
        yield core.CounterMetricFamily("http_delivery_requests", "Requests for media.", value=measures.delivered)
        for figure in self._figures:
            yield _family(figure)


def _family(figure: Figure) -> Any:
    kind = core.CounterMetricFamily if figure.kind == "counter" else core.GaugeMetricFamily
    names = [name for name, _ in next(iter(figure.samples), ())]
    family = kind(figure.name, figure.text, labels=names)
    for labels, value in sorted(figure.samples.items()):
        family.add_metric([text for _, text in labels], value)
    return family


@get("/metrics", guards=[public], tags=["operations"], media_type="text/plain")
async def metrics(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], measures: NamedDependency[Measures]
) -> Response[bytes]:
    """Figures for Prometheus: requests, jobs, events of players, cache, disk. For programs on this machine, and for the
    networks in `metrics.allow`."""
    check(request, networks_of(settings))
    registry = prometheus.CollectorRegistry(auto_describe=False)
    registry.register(_Collected(measures, await measures.read()))
    prometheus.ProcessCollector(registry=registry)
    prometheus.PlatformCollector(registry=registry)
    text = prometheus.generate_latest(registry)
    return Response(text, media_type=prometheus.CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


routes = [metrics]
