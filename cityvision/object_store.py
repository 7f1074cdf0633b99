"""The object store that the settings name."""

from __future__ import annotations

from cityvision.settings import Settings
from store.objects import ObjectStore, open_objects


def object_store(settings: Settings) -> ObjectStore:
    """S3 where its address is set, else a folder; errors as of `store.objects.open_objects`."""
    s3_url = None if settings.s3_url is None else settings.s3_url.get_secret_value()
    return open_objects(settings.objects_dir, s3_url)
