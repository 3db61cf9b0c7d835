"""Health and Prometheus metrics of the service, on loopback only. Counts, no names."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app

from meetbot.errors import BadInput, Mistake
from meetbot.ports import Clock, Outcome


class Monitor:
    """Gathers outcomes of jobs; thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last: dict[str, datetime] = {}
        self._problems: dict[str, str] = {}
        self.registry = CollectorRegistry()
        self._runs = Counter(
            "meetbot_job_runs", "Runs of a job", ["job", "result"], registry=self.registry
        )
        self._duration = Histogram(
            "meetbot_job_seconds", "Duration of a job", ["job"], registry=self.registry
        )
        self._units = Counter(
            "meetbot_source_units",
            "Units of a source: calendars, rows, calls",
            ["source", "result"],
            registry=self.registry,
        )
        self._counts = Counter(
            "meetbot_counts", "What jobs counted: flags, mails", ["what"], registry=self.registry
        )
        self._last_run = Gauge(
            "meetbot_job_last_run_timestamp_seconds",
            "When a job last ended without a defect",
            ["job"],
            registry=self.registry,
        )

    def report(self, outcome: Outcome, took: timedelta) -> None:
        """Take in one outcome."""
        now = self._clock()
        result = "covered" if outcome.is_covered else "not covered"
        self._runs.labels(outcome.job, result).inc()
        self._duration.labels(outcome.job).observe(took.total_seconds())
        self._last_run.labels(outcome.job).set(now.timestamp())
        for source, tally in outcome.sources.items():
            self._units.labels(source, "read").inc(tally.read)
            self._units.labels(source, "failed").inc(tally.failed)
            self._units.labels(source, "skipped").inc(tally.skipped)
        for what, number in outcome.counts.items():
            self._counts.labels(what).inc(number)
        failed = sorted(s for s, tally in outcome.sources.items() if tally.failed)
        with self._lock:
            self._last[outcome.job] = now
            self._problems.pop(outcome.job, None)
            if failed:
                self._problems[outcome.job] = "not read in full: " + ", ".join(failed)
            elif outcome.trouble:
                self._problems[outcome.job] = outcome.trouble

    def complain(self, job: str, error: BaseException) -> None:
        """Take in a defect: the job ended without an outcome."""
        self._runs.labels(job, "defect").inc()
        with self._lock:
            self._problems[job] = f"ended with {type(error).__name__}; see the log"

    def document(self) -> Mapping[str, object]:
        """`status` is `ok`, or `degraded` with the problems by job."""
        with self._lock:
            return {
                "status": "degraded" if self._problems else "ok",
                "problems": dict(self._problems),
                "jobs": {job: at.isoformat() for job, at in sorted(self._last.items())},
            }


class HealthServer:
    """`/health` (200 while the service runs) and `/metrics` on a loopback address."""

    def __init__(self, monitor: Monitor, host: str, port: int) -> None:
        """Raises BadInput when the port is taken."""
        metrics: Callable[..., Iterable[bytes]] = make_wsgi_app(monitor.registry)

        def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            if environ.get("PATH_INFO") == "/metrics":
                return metrics(environ, start)
            if environ.get("PATH_INFO") in ("/health", "/healthz"):
                start("200 OK", [("Content-Type", "application/json")])
                return [json.dumps(monitor.document()).encode()]
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"/health or /metrics\n"]

        try:
            self._server = make_server(host, port, answer, handler_class=_Quiet)
        except OSError as error:
            raise BadInput(
                [
                    Mistake(
                        "service.health",
                        f"{host}:{port} cannot be opened ({error.strerror})",
                        "stop the other meetbot, or name another port",
                    )
                ]
            ) from None
        self._thread = threading.Thread(target=self._server.serve_forever, name="health")

    @property
    def port(self) -> int:
        """The port that was opened (0 in the settings lets the system choose)."""
        return self._server.server_port

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Requests to health are not worth a line."""
