"""Builds everything once from the settings; owns the clock. A test passes fakes to `Deps`."""

from __future__ import annotations

import gc
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from meetbot.domain.people import DistrictUnits, Pseudonyms
from meetbot.domain.webhooks import Endpoint
from meetbot.errors import Stopped
from meetbot.jobs.deps import Deps, District, Recipients
from meetbot.notify import Composer, SmtpMailer
from meetbot.ports import HookPort, MailerPort, RegistrySource, Store
from meetbot.settings import Settings
from meetbot.store import SqlStore, is_there, open_store
from meetbot.workspace import Workspace


def now() -> datetime:
    """The clock: aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class App:
    """A running meetbot: what jobs need, and what must be closed."""

    deps: Deps
    store: SqlStore
    workspace: Workspace

    def requests(self) -> Mapping[str, int]:
        """Google requests made so far, by API."""
        return dict(self.workspace.requests)


@contextmanager
def opened_store(settings: Settings) -> Iterator[SqlStore]:
    """The database, made or migrated when needed; closed afterwards."""
    store = open_store(settings.database.url)
    try:
        yield store
    finally:
        store.close()


def has_store(settings: Settings) -> bool:
    """Whether there is a database already, so that looking for one does not make it."""
    return is_there(settings.database.url)


@contextmanager
def opened(settings: Settings, *, stop: threading.Event | None = None) -> Iterator[App]:
    """Everything, closed afterwards. Raises BadInput or AccessDenied for an unusable key file.

    Once `stop` is set the unit in hand is finished, and nobody waits for an outage to end.
    """
    stop = stop or threading.Event()

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopped

    def go_on() -> None:
        sleep(0)

    # A page of the audit log is 50,000 objects, none of them garbage: with Python's own threshold
    # of 700, looking for some would take a third of the time.
    gc.set_threshold(50_000, 20, 10)
    with opened_store(settings) as store:
        pseudonyms = pseudonyms_of(settings, store)
        workspace = _workspace(settings, pseudonyms, sleep)
        try:
            deps = _deps(settings, store, workspace, pseudonyms, go_on)
            yield App(deps, store, workspace)
        finally:
            workspace.close()


def _deps(
    settings: Settings,
    store: Store,
    workspace: Workspace,
    pseudonyms: Pseudonyms,
    go_on: Callable[[], None],
) -> Deps:
    return Deps(
        store=store,
        directory=workspace.directory,
        calendars=workspace.calendars,
        meet=workspace.meet,
        reports=workspace.reports,
        mailer=mailer_of(settings, workspace),
        compose=Composer(
            settings.mail.sender,
            settings.district.name,
            settings.mail.officers,
            dict(settings.mail.contacts),
            settings.link_root,
        ),
        pseudonyms=pseudonyms,
        policy=settings.policy,
        district=district_of(settings),
        registry_source=registry_source_of(settings, workspace),
        hooks=hooks_of(settings),
        endpoints=endpoints_of(settings),
        go_on=go_on,
    )


def registry_source_of(settings: Settings, workspace: Workspace) -> RegistrySource | None:
    """The spreadsheet of `[registry] source`; None without one."""
    if settings.registry.spreadsheet is None:
        return None
    # Most districts import by hand, and the service need not hold what reads files.
    from meetbot.registry import SheetSource

    return SheetSource(
        workspace.sheets,
        settings.registry.spreadsheet,
        district_domains=settings.district.domains,
    )


def endpoints_of(settings: Settings) -> tuple[Endpoint, ...]:
    """The programs of `[webhooks]`, by name."""
    return tuple(
        Endpoint(name, hook.url, hook.secret, frozenset(hook.events), hook.is_internal)
        for name, hook in sorted(settings.webhooks.items())
    )


def hooks_of(settings: Settings) -> HookPort | None:
    """What posts to them; None without any."""
    if not settings.webhooks:
        return None
    # Most districts have none, and the service need not hold what posts.
    from meetbot.notify.webhook import WebhookSender

    return WebhookSender()


def district_of(settings: Settings) -> District:
    """The settings that jobs need."""
    mail = settings.mail
    return District(
        zone=settings.district.timezone,
        domains=frozenset(settings.district.domains),
        recipients=Recipients(
            officers=mail.officers,
            privacy_officers=mail.privacy_officers or mail.officers,
            operators=mail.operators or mail.officers,
            escalation=mail.escalation,
            contacts=dict(mail.contacts),
        ),
        lookback=settings.schedule.lookback,
        horizon=settings.schedule.horizon,
        final_after=settings.schedule.final_after,
        outage_after=settings.schedule.outage_after,
        mails_a_day=mail.daily,
        storm_flags=mail.storm,
        reminders=settings.schedule.reminders,
        digest_at=settings.schedule.digest,
        weekly_day=settings.schedule.weekly.weekday,
        weekly_at=settings.schedule.weekly.at,
        four_eyes=frozenset(settings.console.four_eyes),
    )


def mailer_of(settings: Settings, workspace: Workspace) -> MailerPort:
    """SMTP or the Gmail API, as configured."""
    server = settings.mail.server
    if server is None:
        return workspace.gmail_mailer
    return SmtpMailer(
        server.host,
        server.port,
        security=server.security,
        sender=settings.mail.sender,
        user=server.user,
        password=server.password,
    )


def pseudonyms_of(settings: Settings, store: Store) -> Pseudonyms:
    """The names that people have in this database."""
    return Pseudonyms(_pseudonym_key(settings, store))


def _pseudonym_key(settings: Settings, store: Store) -> bytes:
    return settings.privacy.pseudonym_key or _kept_key(store, "pseudonym-key")


def console_key(settings: Settings, store: Store) -> bytes:
    """The key of the console's sessions and forms."""
    return settings.console.secret_key or _kept_key(store, "console-key")


def _kept_key(store: Store, name: str) -> bytes:
    """A key that is made at the first start and kept in the database."""
    with store.transaction() as tx:
        kept = tx.meta.get(name)
        if kept is None:
            kept = secrets.token_hex(32)
            tx.meta.set(name, kept)
    return bytes.fromhex(kept)


def _workspace(
    settings: Settings, pseudonyms: Pseudonyms, sleep: Callable[[float], None]
) -> Workspace:
    district = settings.district
    return Workspace(
        credentials=settings.google.credentials,
        api_root=settings.google.api_root,
        admin_subject=settings.google.admin_subject,
        units=DistrictUnits(district.staff_units, district.student_units, district.not_staff_units),
        zone=district.timezone,
        sender=settings.mail.sender,
        quota_key=pseudonyms.id("quota-user").encode(),
        sleep=sleep,
    )
