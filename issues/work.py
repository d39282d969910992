"""The domain's work behind the requests."""

from issues.models import Thumbnail
from issues.services.thumbnails import make_thumbnail
from tracker.durable import Claim, GiveUp, handles


@handles(Thumbnail)
def draw_thumbnail(claim: Claim[Thumbnail]) -> None:
    """Make the thumbnail of an attachment; one that cannot be decoded has none."""
    if not make_thumbnail(claim.row.attachment_id, commit=claim.batch()):
        raise GiveUp("There is no picture that could be decoded.")
