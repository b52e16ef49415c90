"""Joins everything: settings in, a running house out. Nothing below imports this file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamhost import builtin
from streamhost.caching.cache import Cache
from streamhost.config import Settings, media_url
from streamhost.db.core import Database
from streamhost.features.accounts import Accounts
from streamhost.features.analytics import Analytics
from streamhost.features.audit import Audit
from streamhost.features.branding import Branding
from streamhost.features.captions import Captions
from streamhost.features.catalog import Catalog, Trash
from streamhost.features.cdn import Addresses, Copies
from streamhost.features.health import Health
from streamhost.features.imports import Imports, Neighbours, imports_of
from streamhost.features.library import Library
from streamhost.features.mail import Mail
from streamhost.features.models import ModelDesk, Models
from streamhost.features.moderation import Moderation
from streamhost.features.notifications import Notifications
from streamhost.features.playback import Playback
from streamhost.features.plugging import Plugging
from streamhost.features.posters import PosterDesk
from streamhost.features.protection import (
    ClearKeyLicenceProxy,
    KeyDesk,
    KeyWatch,
    LocalKeySource,
    Protections,
    grants_of,
)
from streamhost.features.quota import Quotas
from streamhost.features.reporting import Reporting
from streamhost.features.search import Search
from streamhost.features.settings import SettingsDesk
from streamhost.features.sharing import Sharing
from streamhost.features.storekeeping import Places, Storekeeping
from streamhost.features.streams import Streams
from streamhost.features.syndication import Syndication
from streamhost.features.transcoding import Control, Downloads, Transcoding, named
from streamhost.features.upkeep import Upkeep
from streamhost.features.uploads import Uploads, offer_of
from streamhost.features.work import Work
from streamhost.host_analytics import analytics_of
from streamhost.host_backup import scheduled_of
from streamhost.host_basis import MEDIA_FOLDER, OWN_FOLDERS, UPLOADS_FOLDER, Basis
from streamhost.host_cache import cache_of
from streamhost.host_catalog import trash_of
from streamhost.host_cdn import delivery_of
from streamhost.host_desk import reporting_of
from streamhost.host_mail import mail_of
from streamhost.host_measures import measures_of
from streamhost.host_media import lanes_of, making_of, runner_of
from streamhost.host_moderation import moderating, others_of
from streamhost.host_notices import notice_work, notifications_of
from streamhost.host_people import accounts_of, home_of, open_catalog, quotas_of
from streamhost.host_plugins import protections_of
from streamhost.host_recommendations import Recommending, recommending_of
from streamhost.host_settings import brand_of, branding_of, settings_desk_of
from streamhost.instance import Instance, Purpose
from streamhost.jobs.announcing import Announcing
from streamhost.jobs.queue import Queue
from streamhost.jobs.schedule import Schedule, every
from streamhost.jobs.worker import Handler, Worker
from streamhost.keyrings import Keyrings
from streamhost.measures import Measures
from streamhost.media.run import MediaRunner
from streamhost.model import tasks
from streamhost.model.clock import DAY, HOUR, MINUTE, Clock, system_clock
from streamhost.model.grants import Grants
from streamhost.model.house_tasks import CountStored
from streamhost.model.tickets import Tickets
from streamhost.plugins import Found, Plugins
from streamhost.ports import SharedCache, SignsUrls, Storage


@dataclass(frozen=True, slots=True)
class Host:
    """One instance, assembled. `start` begins the background work, `stop` ends it, `close` lets go of everything."""

    settings: Settings
    settings_desk: SettingsDesk
    branding: Branding
    instance: Instance
    clock: Clock
    db: Database
    cache: Cache
    storage: Storage
    queue: Queue
    worker: Worker
    schedule: Schedule
    grants: Grants
    accounts: Accounts
    audit: Audit
    catalog: Catalog
    trash: Trash
    search: Search
    library: Library
    captions: Captions
    uploads: Uploads
    imports: Imports
    transcoding: Transcoding
    control: Control
    downloads: Downloads
    work: Work
    posters: PosterDesk
    playback: Playback
    protections: Protections
    keyrings: Keyrings
    key_watch: KeyWatch
    keys: KeyDesk
    health: Health
    mail: Mail
    notifications: Notifications
    quotas: Quotas
    reporting: Reporting
    sharing: Sharing
    streams: Streams
    syndication: Syndication
    analytics: Analytics
    measures: Measures
    tickets: Tickets
    addresses: Addresses
    copies: Copies
    storekeeping: Storekeeping
    signs: SignsUrls | None
    """What signs addresses of stored objects, where anything can."""
    media_origin: str
    """Where such addresses lead: scheme, host and port; empty if there are none."""
    announcing: Announcing
    plugging: Plugging
    media: MediaRunner
    models: Models
    model_desk: ModelDesk
    moderation: Moderation
    recommending: Recommending

    async def start(self) -> None:
        """Take up the work that an earlier run left, and go on. Only while holding the instance's lock."""
        await self.settings_desk.start()
        self.transcoding.start()
        await self.cache.start()
        await self.branding.start()
        await self.search.start()
        await self.storekeeping.start()
        await self.worker.release_all()
        grants_live = self.settings.playback.grant_minutes * MINUTE
        await self.catalog.start(grants_live)
        await self.sharing.start(grants_live)
        await self.streams.start()
        await self.accounts.start()
        await self.key_watch.start()
        await self.moderation.watch.start()
        await self.uploads.start()
        await self.analytics.start()
        await self.worker.start()
        await self.schedule.start()
        await self.imports.start()
        self.recommending.server.look()

    async def stop(self, grace: float) -> None:
        """End the background work within about `grace` seconds; jobs that run go back to the queue."""
        await self.imports.stop()
        await self.search.stop()
        await self.recommending.close()
        await self.schedule.stop()
        await self.accounts.stop()
        await self.key_watch.stop()
        await self.moderation.watch.stop()
        await self.worker.stop(grace)
        await self.transcoding.stop()
        await self.analytics.stop()
        await self.uploads.close()
        await self.media.close()

    async def close(self) -> None:
        """Finish what was put off, end the processes for password hashes and close the catalog."""
        await self.accounts.settled()
        await self.accounts.close()
        await self.cache.close()
        await self.db.close()


async def assemble(
    settings: Settings,
    instance: Instance,
    clock: Clock = system_clock,
    installed: Sequence[Found] | None = None,
    store: SharedCache | None = None,
) -> Host:
    """Open the catalog of an instance (migrated if need be) and build every room on it. `installed`: plugins instead of
    those that are. `store`: keeps cached answers for longer than this process lives."""
    db = await open_catalog(instance)
    try:
        basis = Basis(
            settings, instance, clock, db, Queue(clock), cache_of(settings, instance, db, store), brand_of(settings)
        )
        return await _built_on(basis, installed)
    except BaseException:
        await db.close()
        raise


async def _built_on(basis: Basis, installed: Sequence[Found] | None) -> Host:
    settings, instance, clock = basis.settings, basis.instance, basis.clock
    db, queue, cache = basis.db, basis.queue, basis.cache
    keyrings = Keyrings(instance)
    grants = grants_of(keyrings, clock, basis.grants_live)
    keys = LocalKeySource(db, keyrings, clock)
    models = Models(settings)
    model_desk = ModelDesk(models, db, queue, clock)
    recommending = recommending_of(basis)
    parts = builtin.Builtin(
        key_sources={"local": keys},
        licence_proxies={"clearkey": ClearKeyLicenceProxy()},
        classifiers={"onnx": models.onnx},
        **recommending.brings,
    )
    plugins = Plugins(settings, clock, {builtin.NAME: parts}, installed)
    gates, shapes = plugins.gates, plugins.shapes
    places = Places(settings.storage, basis.data / MEDIA_FOLDER, plugins.storages())
    storage = await places.open(db)
    plugging = Plugging(db, queue, plugins, storage)
    registered = plugging.registered
    announcing = Announcing(db, queue)
    plugging.subscribe(announcing)
    models.join(registered.classifiers)
    moderation = moderating(basis, storage, models, grants)
    screening = moderation.screening
    recommending.join(registered, announcing)
    delivery = delivery_of(basis, storage, grants, registered.cdns, announcing)
    protections = protections_of(basis, keys, registered)
    quotas = quotas_of(basis)
    uploads = Uploads(
        db,
        queue,
        storage,
        basis.data / UPLOADS_FOLDER,
        settings.uploads,
        clock,
        quota=quotas.check,
        gate=lambda upload: gates.upload(offer_of(upload)),
        clears=screening.entering,
    )
    run = runner_of(settings)
    making = making_of(basis, storage, protections, run, others_of(shapes, gates, moderation))
    moderation.new_files.joins(making.transcoding.replacing)
    storekeeping = Storekeeping(db, queue, places, storage, basis.data, clock, named)
    mail = mail_of(basis, lambda conn, what: notifications.dead_letter(conn, what, "/admin/mail"), shapes.mail)
    notifications = notifications_of(basis, mail, home_of(settings, instance), registered.notifiers)
    announcing.subscribe("notifications", notifications.hear)
    noticing, notice_times = notice_work(basis, storage, notifications)
    backing_up, backup_times = scheduled_of(basis, notifications.dead_letter)
    ended = grants.revocations.learn
    accounts = accounts_of(
        basis, mail, leaves=lambda conn, owner: trash.leave(conn, owner), ended=ended, gate=gates.register
    )
    sharing = Sharing(db, clock, instance.keys.derive(Purpose.SHARING), accounts.passwords, ended)
    streams = Streams(db, clock, grants, settings.playback.streams_per_user)
    catalog = Catalog(
        db,
        queue,
        clock,
        withdrawn=ended,
        admits=sharing.admits,
        hashed=accounts.passwords.hash,
        switch=making.switching.begin,
        gate=gates.publish,
        cache=cache,
        reworded=screening.reworded,
    )
    trash, thrown, trash_times = trash_of(basis, ended, catalog)
    captions = Captions(db, queue, storage, clock, quota=quotas.check, reworded=screening.reworded)
    posters = PosterDesk(db, queue, storage, clock, run, basis.work, screening.reworded)
    analytics = analytics_of(basis, grants, storage, catalog)
    hashed, allowed = accounts.passwords.hash, (quotas.check, gates.upload)
    helps = (captions, posters, catalog, trash.remove, uploads.entering, run, hashed, *allowed)
    imports = imports_of(settings, db, queue, storage, clock, Neighbours(*helps), OWN_FOLDERS)
    handlers: Mapping[type[tasks.Task], Handler] = {
        **making.handlers,
        tasks.DeleteMedia: delivery.copies.after(making.transcoding.delete_media),
        **delivery.handlers,
        **storekeeping.handlers,
        **model_desk.handlers,
        tasks.SweepUploads: lambda _task, _job: uploads.sweep(),
        tasks.SweepCatalog: Upkeep(db, queue, clock).sweep_catalog,
        tasks.SendMail: mail.deliver,
        tasks.SweepMail: mail.sweep,
        tasks.SweepPlaybacks: analytics.sweep,
        tasks.AnnounceEvent: announcing.announce,
        tasks.TellSubscriber: announcing.tell,
        tasks.TellPlugin: announcing.tell,
        **imports.handlers,
        **thrown,
        **backing_up,
        **moderation.handlers,
        **plugging.handlers(),
        **noticing,
        **recommending.handlers,
    }
    hourly = (tasks.SweepUploads(), tasks.SweepMedia())
    daily = (tasks.SweepCatalog, tasks.SweepMail, tasks.SweepBucket, tasks.SweepEvidence, tasks.SweepPlaybacks)
    times = [*(every(HOUR, task) for task in hourly), *(every(DAY, task()) for task in daily)]
    times += [
        *plugging.schedule(),
        *notice_times,
        *backup_times,
        *recommending.schedule(),
        trash_times,
        every(DAY, CountStored()),
    ]
    worker = Worker(db, queue, handlers, lanes_of(settings), clock)
    systems, root = protections.systems, delivery.addresses.stream_root or media_url(settings.server)
    return Host(
        settings=settings,
        settings_desk=settings_desk_of(basis, plugins),
        branding=branding_of(basis, run),
        instance=instance,
        clock=clock,
        db=db,
        cache=cache,
        storage=storage,
        queue=queue,
        worker=worker,
        schedule=Schedule(db, queue, clock, times),
        grants=grants,
        accounts=accounts,
        audit=Audit(db, clock),
        catalog=catalog,
        trash=trash,
        search=Search(db, cache),
        library=Library(db, clock, cache, recommending.room.changed),
        captions=captions,
        uploads=uploads,
        imports=imports,
        transcoding=making.transcoding,
        control=making.control,
        downloads=making.downloads,
        work=Work(db, queue, making.revive),
        posters=posters,
        playback=Playback(db, clock, grants, systems, sharing.admits, streams.begins, root, gates.playback),
        reporting=reporting_of(basis, catalog, moderation),
        sharing=sharing,
        streams=streams,
        syndication=Syndication(db, catalog.get, settings.playback.embed_origins),
        analytics=analytics,
        measures=measures_of(basis, analytics, storage),
        tickets=delivery.tickets,
        addresses=delivery.addresses,
        copies=delivery.copies,
        media=run,
        protections=protections,
        keyrings=keyrings,
        key_watch=KeyWatch(keyrings, grants, clock),
        keys=KeyDesk(db, keyrings, keys, clock, basis.grants_live),
        health=Health(db, storage, worker, clock),
        mail=mail,
        notifications=notifications,
        quotas=quotas,
        storekeeping=storekeeping,
        signs=places.signs(storage),
        media_origin=places.origin(),
        announcing=announcing,
        plugging=plugging,
        models=models,
        model_desk=model_desk,
        moderation=moderation,
        recommending=recommending,
    )
