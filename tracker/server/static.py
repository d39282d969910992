"""Style sheets, scripts and pictures: under names with their hash, so that browsers keep them for ever."""

import fcntl
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import HashedFilesMixin
from django.core.management import call_command
from whitenoise.storage import CompressedManifestStaticFilesStorage

_STAMP: Final = ".collected"


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Hashes names, also those that ES modules import; compresses once, when collected."""

    support_js_module_import_aggregation = True
    # Only our own modules: what packages bring names modules that Django takes for files.
    _js_module_import_aggregation_patterns = (
        "js/*.js",
        HashedFilesMixin._js_module_import_aggregation_patterns[1],  # type: ignore[attr-defined]  # not in the stubs
    )


def collect_static_files() -> bool:
    """Collect the static files if any changed since the last time; return whether they had to be.

    One process at a time: a second one that starts together with the first waits, and finds them there.
    """
    folder = Path(settings.STATIC_ROOT)
    stamp = folder / _STAMP
    wanted = hashlib.sha256("\n".join(_descriptions()).encode()).hexdigest()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text() == wanted:
            return False
        stamp.unlink(missing_ok=True)
        call_command("collectstatic", interactive=False, verbosity=0, clear=True)
        stamp.write_text(wanted)
        return True


def _descriptions() -> Iterator[str]:
    for finder in get_finders():
        for name, storage in finder.list(["CVS", ".*", "*~"]):
            status = Path(storage.path(name)).stat()
            yield f"{name} {status.st_size} {status.st_mtime_ns}"
