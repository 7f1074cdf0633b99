"""`ObjectStore` on MinIO or any S3."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, unquote, urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from contracts.errors import ConfigError, ObjectMissing, ObjectsUnavailable, StoreError
from store.objects import check_content, check_key

SCHEMES = {"s3": True, "s3+http": False}  # of an address: whether it speaks TLS
_SHA256 = "sha256"
_MISSING = frozenset({"NoSuchKey", "NoSuchObject"})


class S3Objects:
    """`ObjectStore` in one bucket of an S3 service. The bucket is made when it is missing.

    Args:
        url: `s3://KEY:SECRET@HOST[:PORT]/BUCKET` by TLS, `s3+http://…` without; `?region=…` where the service has
            regions. KEY and SECRET percent-encoded.
        timeout_s: per request; nothing is retried, the caller keeps the bytes and decides.

    Raises:
        ConfigError: the URL has another shape (the text never repeats the secret).
    """

    def __init__(self, url: str, *, timeout_s: float = 10.0) -> None:
        parts = urlsplit(url)
        bucket = parts.path.strip("/")
        if parts.scheme not in SCHEMES or not parts.hostname or not bucket or "/" in bucket:
            raise ConfigError(
                "the S3 address is wrong", "write s3://KEY:SECRET@HOST:PORT/BUCKET (s3+http:// without TLS)"
            )
        self._bucket = bucket
        self._client = Minio(
            parts.netloc.rsplit("@", 1)[-1],
            access_key=unquote(parts.username or "") or None,
            secret_key=unquote(parts.password or "") or None,
            secure=SCHEMES[parts.scheme],
            region=parse_qs(parts.query).get("region", [None])[0],
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=min(3.0, timeout_s), read=timeout_s),
                retries=urllib3.Retry(total=0),
                maxsize=16,
            ),
        )
        self._ready = False

    def put(self, key: str, data: bytes, media_type: str) -> None:
        check_key(key)
        check_content(key, data)
        digest = hashlib.sha256(data).hexdigest()
        with self._translated(key):
            there = self._digest(key)
            if there == digest:
                return
            if there is not None:
                raise StoreError(f"{key} holds other bytes already")
            self._client.put_object(
                self._bucket, key, io.BytesIO(data), len(data), content_type=media_type, metadata={_SHA256: digest}
            )

    def get(self, key: str) -> bytes:
        return self._read(key, 0, 0)

    def read_range(self, key: str, start: int, end: int) -> bytes:
        check_key(key)
        if end <= start:
            return b""
        try:
            return self._read(key, start, end - start)
        except _PastEnd:
            return b""

    def size(self, key: str) -> int:
        check_key(key)
        with self._translated(key):
            return int(self._client.stat_object(self._bucket, key).size or 0)

    def delete(self, key: str) -> None:
        check_key(key)
        with self._translated(key):
            self._client.remove_object(self._bucket, key)

    def keys(self, prefix: str) -> Iterator[str]:
        if prefix:
            check_key(prefix)
        with self._translated(prefix):
            for found in self._client.list_objects(self._bucket, f"{prefix}/" if prefix else None, recursive=True):
                yield str(found.object_name)

    def _read(self, key: str, offset: int, length: int) -> bytes:
        check_key(key)
        with self._translated(key):
            response = self._client.get_object(self._bucket, key, offset=offset, length=length)
            try:
                return bytes(response.read())
            finally:
                response.close()
                response.release_conn()

    def _digest(self, key: str) -> str | None:
        """SHA-256 of the object that is there; "" when whoever wrote it did not say; None when there is none."""
        try:
            metadata = self._client.stat_object(self._bucket, key).metadata or {}
        except S3Error as error:
            if error.code in _MISSING:
                return None
            raise
        return str(metadata.get(f"x-amz-meta-{_SHA256}", ""))

    def _make_bucket(self) -> None:
        if not self._ready:
            if not self._client.bucket_exists(self._bucket):
                self._client.make_bucket(self._bucket)
            self._ready = True

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            self._make_bucket()
            yield
        except S3Error as error:
            if error.code in _MISSING:
                raise ObjectMissing(f"no object {key}") from error
            if error.code == "InvalidRange":
                raise _PastEnd(f"{key}: the range begins past the end") from error
            self._ready = False
            raise ObjectsUnavailable(f"S3 refused {key}: {error.code}", "see its state and our credentials") from error
        except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
            self._ready = False
            raise ObjectsUnavailable(f"S3 is away: {type(error).__name__}", "see its address and state") from error


class _PastEnd(StoreError):
    """A range that begins at or past the object's end."""
