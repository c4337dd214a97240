"""The run's numbers as Prometheus reads them, and as one JSON object at the end. Both are views of the tally."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crawler.items import Tally
from korbert.errors import WorldError
from korbert.processes import peak_memory

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

PREFIX = "korbert_crawl_"


class TallyCollector:
    """Makes metrics of a tally whenever Prometheus asks; nothing is counted twice, nothing on the crawl's way."""

    def __init__(self, source: str, tally: Tally) -> None:
        self._source, self._tally = source, tally

    def collect(self) -> Iterator[Metric]:
        """All metrics; every sample carries the source."""
        tally = self._tally
        yield self._counter("articles", "Articles read, by what the database had.", "found", _articles(tally))
        yield self._counter("skipped", "Articles left out, by reason.", "reason", Counter([*tally.skipped.values()]))
        yield self._counter("requests", "Answers by HTTP status, other ends by fault.", "status", tally.requests)
        yield self._counter("outcomes", "Slices worked on by this process, by outcome.", "outcome", tally.slices)
        yield self._counter("lost_leases", "Slices that another crawler took.", "", {"": tally.slices["lost"]})
        yield self._counter("received_bytes", "Bytes of answers' bodies.", "", {"": tally.received})
        yield self._counter("stage_seconds", "Seconds by stage of the work.", "stage", tally.seconds)
        yield self._gauge("slices", "The source's slices by state, over all crawlers.", "state", tally.ledger)
        if tally.calls_left is not None:
            yield self._gauge("api_calls_left", "API calls left today.", "", {"": tally.calls_left})
        yield self._gauge("api_closed", "1 while the API refuses to be asked.", "", {"": int(bool(tally.api_closed))})

    def _counter(self, name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
        from prometheus_client.metrics_core import CounterMetricFamily

        return self._filled(CounterMetricFamily(PREFIX + name, text, labels=_labels(label)), label, values)

    def _gauge(self, name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
        from prometheus_client.metrics_core import GaugeMetricFamily

        return self._filled(GaugeMetricFamily(PREFIX + name, text, labels=_labels(label)), label, values)

    def _filled(self, family: Any, label: str, values: Mapping[str, float]) -> Metric:
        # A copy: the reactor may add a key meanwhile.
        for key, value in dict(values).items():
            family.add_metric([self._source, key] if label else [self._source], value)
        return family  # type: ignore[no-any-return]


@contextmanager
def served(port: int, source: str, tally: Tally) -> Iterator[str]:
    """Answers Prometheus at `http://HOST:port/metrics` during the block, on all addresses; the block gets the URL.

    Port 0 takes any free one. Without `prometheus_client` (extra `crawl`) this raises ModuleNotFoundError.

    Raises:
        WorldError: when the port is taken or not allowed.
    """
    from prometheus_client import CollectorRegistry, start_http_server

    registry = CollectorRegistry()
    registry.register(TallyCollector(source, tally))
    try:
        server, thread = start_http_server(port, registry=registry)
    except OSError as error:
        raise WorldError(f"--metrics-port {port}: {error.strerror or error}; choose another") from error
    try:
        yield f"http://127.0.0.1:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def summary(
    tally: Tally, slices: Mapping[str, int], code: int, seconds: float, redact: Callable[[str], str]
) -> dict[str, Any]:
    """The end of a crawl as one object for programs. `seconds` is wall-clock; stages overlap, and are summed."""
    return {
        "exit_code": code,
        "seconds": round(seconds, 3),
        "slices": dict(slices),
        "outcomes": _plain(tally.slices),
        "articles": {"fetched": tally.fetched, **_articles(tally)},
        "skipped": _plain(Counter(tally.skipped.values())),
        "requests": _plain(tally.requests),
        "received_bytes": tally.received,
        "peak_memory_mb": round(peak_memory() / 2**20, 1),
        "stage_seconds": {name: round(value, 3) for name, value in sorted(tally.seconds.items())},
        "api_calls_left": tally.calls_left,
        "api_closed": redact(tally.api_closed),
        "stopped_by": tally.stopped_by,
    }


def _articles(tally: Tally) -> dict[str, int]:
    return {"new": tally.new, "changed": tally.changed, "unchanged": tally.unchanged}


def _plain(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _labels(label: str) -> list[str]:
    return ["source", label] if label else ["source"]
