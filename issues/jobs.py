"""The domain's housekeeping, as jobs that go on where they were interrupted."""

from typing import Final

from issues.services.purging import purge_trash
from tracker.durable import Claim
from tracker.jobs import does
from tracker.models import Job

PURGE_TRASH: Final = "purge the trash"


@does(PURGE_TRASH)
def purge(claim: Claim[Job]) -> int:
    """Delete for good what has been in the trash for 30 days; return how many issues."""
    return purge_trash(each=claim.batch)
