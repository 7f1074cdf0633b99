"""A small city for tests of the doors and the console: real Postgres, Valkey and objects, the real server, a real clip.

Events go in as records through the consumer, and live pictures come out of a clip while somebody watches, so what
is tested is fed by nothing that production is not fed by.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import httpx
import uvicorn
from av.video.frame import VideoFrame
from fastapi import FastAPI
from sqlalchemy import Engine, text

from algorithm_repo.entering.service import enter_training, enter_upload
from api.app import create_app
from api.bringing import Bring
from api.settings import ApiSettings
from cases import verify
from cases.book import read_book
from cases.service import CaseHook
from cityvision import look_custody
from cityvision.before_pictures import before
from cityvision.clip_looks import look
from cityvision.viewing_copy import convert
from contracts.live import CameraState, CameraStatus, LiveBox, LiveHeader, encode_live
from contracts.pool import Pool
from contracts.records import (
    Body,
    ClockSource,
    Event,
    EventRecord,
    EvidenceRef,
    Provenance,
    Record,
    Severity,
    Subject,
    Transition,
    Unwatched,
    UnwatchedRecord,
    event_id,
)
from events.consumer import Consumer
from events.hooks import Hooks
from governance import custody
from governance import service as governance
from pool import store as pool_store
from pool.snapshot import snapshot
from store.bus import Bus, Entry, Mark
from store.database import make_engine
from store.objects import DiskObjects
from store.state import PoolSnapshot
from subscriptions.access import sees
from subscriptions.outbox import DeliveryHook
from tests.e2e.children import masking, trials

WORKER = "worker-1"
PASSWORD = "correct horse battery staple"
ROOT = Path(__file__).resolve().parents[2]
_LANE = ((0.30, 0.45), (0.72, 0.45), (0.80, 0.85), (0.22, 0.85))

POOL = {
    "departments": [{"id": "traffic", "name": "交通警察支队"}, {"id": "grid", "name": "城管网格中心"}],
    "cameras": [
        {
            "id": "north-gate",
            "name": "北门消防通道",
            "department": "traffic",
            "class": 1,
            "main": {"url": "rtsp://10.0.0.8:554/main", "credentials": "vendor-a"},
            "grid": "G-0412",
            "position": {"lon": 121.4737, "lat": 31.2304},
            "zones": [{"id": "lane", "name": "消防通道", "kind": "no_parking", "polygon": _LANE}],
            "algorithms": {"illegal_parking": {"dwell": "30s"}},
        },
        {
            "id": "square",
            "name": "中心广场",
            "department": "grid",
            "class": 2,
            "main": {"url": "rtsp://10.0.0.9:554/main"},
            "zones": [
                {
                    "id": "plaza",
                    "name": "广场中央",
                    "kind": "square",
                    "capacity": 12,
                    "polygon": ((0.1, 0.4), (0.9, 0.4), (0.95, 0.95), (0.05, 0.95)),
                }
            ],
            "algorithms": {"crowding": {"hold": "20s"}},
        },
        *(
            {
                "id": f"street-{n}",
                "name": f"和平路 {n} 号路口",
                "department": "traffic",
                "class": 2,
                "main": {"url": f"rtsp://10.0.1.{n}:554/main"},
                "zones": [{"id": "road", "kind": "road", "polygon": ((0, 0.5), (1, 0.5), (1, 1), (0, 1))}],
                "algorithms": {"crowding": {"max_people": 30}},
            }
            for n in range(1, 5)
        ),
    ],
}


@dataclass
class City:
    """Everything that runs; made by `running`."""

    folder: Path
    engine: Engine
    bus: Bus
    bus_url: str
    database_url: str
    objects: DiskObjects
    url: str
    first_password: str
    _offset: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self, **settings: Any) -> httpx.Client:
        """Patient: others may keep the machine busy. It is plain HTTP: certificates take 30 ms to read."""
        return httpx.Client(base_url=self.url, timeout=60, verify=False, **settings)

    def cut_database(self) -> None:
        """Ends every connection to the database and refuses new ones, as a fail-over does for a while."""
        self._administer("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        self._administer("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def restore_database(self) -> None:
        self._administer("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")

    def _administer(self, statement: str) -> None:
        server, name = self.database_url.rsplit("/", 1)
        admin = make_engine(f"{server}/postgres").execution_options(isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(statement.format(name=name)))
        admin.dispose()

    def publish(self, *bodies: Body) -> None:
        """Puts records into the worker's stream, as its spool would."""
        with self._lock:
            for body in bodies:
                record = Record(worker=WORKER, epoch=1, offset=self._offset, body=body)
                entry = Entry(Mark(1, self._offset), record.model_dump_json().encode())
                assert self.bus.publish(WORKER, self.bus.top(WORKER), [entry])
                self._offset += 1

    def keep(self, data: bytes, role: str, extension: str, utc: float, *, stored: bool = True) -> EvidenceRef:
        """Puts bytes into the object store and refers to them."""
        sha256 = hashlib.sha256(data).hexdigest()
        media_type = {"jpg": "image/jpeg", "mp4": "video/mp4"}[extension]
        key = f"evidence/{sha256[:2]}/{sha256}.{extension}"
        if stored:
            self.objects.put(key, data, media_type)
        return EvidenceRef.model_validate(
            {
                "role": role,
                "key": key,
                "sha256": sha256,
                "media_type": media_type,
                "size": len(data),
                "utc": utc,
                "stored": stored,
            }
        )

    def report(self, camera: str, state: CameraState = CameraState.RUNNING, *, at: float | None = None) -> None:
        """What a worker says of a camera."""
        now = time.time() if at is None else at
        status = CameraStatus(
            camera=camera,
            worker=WORKER,
            state=state,
            since_utc=now - 600,
            codec="h264",
            width=1280,
            height=720,
            fps=25.0 if state == CameraState.RUNNING else 0.0,
            kbit_s=2048.0 if state == CameraState.RUNNING else 0.0,
            gop_s=2.0,
            looks=1800,
            looks_superseded=3,
            looks_gated=412,
            last_look_utc=now - 1,
            error="" if state == CameraState.RUNNING else "no packets for 12 s",
            updated_utc=now,
        )
        self.bus.set_status([status])


def make_event(
    started: float,
    seq: int = 0,
    *,
    kind: str = "illegal_parking",
    camera: str = "north-gate",
    department: str = "traffic",
    zone: str = "lane",
    subject: str = "track:17",
    evidence: tuple[EvidenceRef, ...] = (),
    severity: Severity = Severity.MINOR,
    closed: bool = False,
) -> Event:
    """One transition of an event, as a rule would explain it."""
    parking = kind == "illegal_parking"
    now = started + 34 + 20 * seq
    numbers = (
        {"still_s": now - started, "moved_body_lengths": 0.06, "looks_share": 0.92, "in_zone_share": 1.0}
        if parking
        else {"people": 17, "peak": 19, "limit": 12, "lasting_s": now - started}
    )
    reason = (
        {
            "zh": f"车辆在禁停区内静止 {now - started:.0f} 秒，位移 0.06 个车身长，92% 的查看中可见",
            "en": f"A vehicle stood still in a no-parking zone for {now - started:.0f} s: moved 0.06 body lengths, "
            "seen in 92 % of looks",
        }
        if parking
        else {
            "zh": f"区域内 17 人，超过容量 12 人已 {now - started:.0f} 秒",
            "en": f"17 people in a zone for 12, for {now - started:.0f} s",
        }
    )
    return Event(
        id=event_id(camera, kind, zone, subject, int(started * 1000)),
        seq=seq,
        transition=Transition.CLOSED if closed else Transition.UPDATED if seq else Transition.OPENED,
        type=kind,
        severity=severity,
        camera=camera,
        department=department,
        zone=zone,
        started_utc=started,
        utc=now,
        ended_utc=now if closed else None,
        stream_time=now - started + 100,
        clock_source=ClockSource.ARRIVAL,
        clock_error_ms=120.0,
        subject=Subject(track=17, object_class="car", box=(0.42, 0.5, 0.6, 0.72)) if parking else Subject(),
        numbers=numbers,
        reason=reason,
        evidence=evidence,
        provenance=Provenance(
            algorithm=kind,
            algorithm_version="1.0.0",
            model="yolox_nano",
            model_sha256="c7" * 32,
            config_digest="5e" * 32,
        ),
    )


def opened(event: Event) -> EventRecord:
    return EventRecord(event=event)


def not_watched(camera: str, start: float, end: float | None, algorithm: str = "*") -> UnwatchedRecord:
    return UnwatchedRecord(
        unwatched=Unwatched(
            id=f"{camera}-{start}", camera=camera, algorithm=algorithm, reason="offline", start_utc=start, end_utc=end
        )
    )


class Clip:
    """A real clip: its pictures as JPEG, and a stretch of it as MP4 by remux."""

    def __init__(self, path: Path, pictures: int = 40) -> None:
        self.path = path
        self.width = self.height = 0
        self.jpegs: list[bytes] = []
        with av.open(str(path)) as source:
            for frame in source.decode(video=0):
                self.width, self.height = frame.width, frame.height
                if len(self.jpegs) < pictures:
                    self.jpegs.append(_jpeg(frame))
                else:
                    break

    def mp4(self, seconds: float) -> bytes:
        """The first seconds, packets untouched, as a fragmented MP4 that a browser plays."""
        target = io.BytesIO()
        options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
        with av.open(str(self.path)) as source, av.open(target, "w", format="mp4", options=options) as sink:
            stream = source.streams.video[0]
            copy = sink.add_stream_from_template(stream)
            for packet in source.demux(stream):
                if packet.dts is None or packet.pts is None or packet.time_base is None:
                    continue
                if float(packet.pts * packet.time_base) > seconds:
                    break
                packet.stream = copy
                sink.mux(packet)
        return target.getvalue()


def _jpeg(frame: VideoFrame) -> bytes:
    """One picture by the MJPEG encoder."""
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    full = frame.reformat(format="yuvj420p")
    full.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(full), *encoder.encode(None)))


def play(bus_url: str, clip: Clip, cameras: Sequence[str], stop: threading.Event) -> None:
    """What a worker does for viewers: pictures of every camera that somebody watches, five a second."""
    bus = Bus(bus_url)
    box = (0.42, 0.5, 0.6, 0.72)
    for turn in itertools.count():
        if stop.wait(0.2):
            break
        now = time.time()
        for number, camera in enumerate(sorted(bus.watched(cameras))):
            boxes = (
                LiveBox(track=17, object_class="car", score=0.91, box=box, alarm=camera == "north-gate"),
                LiveBox(track=4, object_class="person", score=0.7, box=(0.15, 0.45, 0.19, 0.62)),
            )
            header = LiveHeader(camera=camera, utc=now, width=clip.width, height=clip.height, boxes=boxes)
            jpeg = clip.jpegs[(turn + 7 * number) % len(clip.jpegs)]
            bus.publish_live(camera, encode_live(header, jpeg))
    bus.close()


@contextmanager
def _serving(app: FastAPI) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:  # also where a test fails in the block: the thread would keep the whole run from ending
        server.should_exit = True
        thread.join(10)
    assert not thread.is_alive()


@contextmanager
def running(folder: Path, database_url: str, bus_url: str, **settings: Any) -> Iterator[City]:
    """The city's server, consumer and stores; cameras imported, no events yet.

    Args:
        database_url: an empty, migrated database.
        bus_url: an empty bus.
        settings: of `ApiSettings`, where they differ.
    """
    engine, bus, objects = make_engine(database_url), Bus(bus_url), DiskObjects(folder / "objects")
    pool = Pool.model_validate(POOL)
    with engine.begin() as connection:
        first_password = governance.ensure_admin(connection)
        revision = pool_store.import_pool(connection, pool, "test").revision
    assert first_password is not None
    data, digest = snapshot(pool)
    bus.set_pool(PoolSnapshot(revision, digest, data))
    bus.announce(WORKER)
    book = read_book()
    hooks = Hooks(
        [custody.captured, CaseHook(book), DeliveryHook(sees)],
        [look_custody.captured, verify.LookAnswers(book, before)],
    )
    stop, consumer = threading.Event(), Consumer(engine, Bus(bus_url), hooks)
    consuming = threading.Thread(target=consumer.run, args=(stop,))
    consuming.start()
    app = create_app(
        ApiSettings(database_url=database_url, redis_url=bus_url, **settings),
        objects,
        convert,
        masking().mask,
        trials().attempt,
        look,
        Bring(enter_training, enter_upload),
    )
    try:
        with _serving(app) as url:
            yield City(folder, engine, bus, bus_url, database_url, objects, url, first_password)
    finally:
        stop.set()
        consuming.join(10)
        bus.close()
        engine.dispose()
