"""The domain's housekeeping, as jobs that go on where they were interrupted."""

from typing import Final

from issues.services.cleaning import clean_files
from issues.services.purging import purge_trash
from tracker.durable import Claim
from tracker.jobs import does
from tracker.models import Job

PURGE_TRASH: Final = "purge the trash"
CLEAN_FILES: Final = "clean files"


@does(PURGE_TRASH)
def purge(claim: Claim[Job]) -> int:
    """Delete for good what has been in the trash for 30 days; return how many issues."""
    return purge_trash(each=claim.batch)


@does(CLEAN_FILES)
def clean(claim: Claim[Job]) -> int:
    """Delete files that nothing refers to, and attachments that are kept no longer; return how many."""
    return clean_files(each=claim.batch, pause=claim.renew)
