"""What a worker does with a run: import its file, or undo what it brought."""

from accounts.models import User
from tracker.caller import Caller
from tracker.durable import OPEN_STATES, Claim, GiveUp, handles
from tracker.errors import DomainError
from transfer.files import drop_file, drop_left_over
from transfer.models import Import, ImportFormat
from transfer.running import run_csv
from transfer.running_jira import run_jira
from transfer.services.imports import go_on_undoing


def forget_file(run: Import) -> None:
    """Delete the file of a run that is over, and files that a crash left."""
    drop_file(run.file_name)
    drop_left_over(Import.objects.filter(state__in=OPEN_STATES).values_list("file_name", flat=True))


@handles(Import, given_up=forget_file)
def do_import(claim: Claim[Import]) -> None:
    """Import, or undo an import, as the person who asked for it with their rights of today."""
    run = claim.row
    author = User.objects.get(pk=run.author_id)
    by = Caller(user=author, source="import", cause=run.pk, request_id=run.request_id)
    try:
        if run.is_undo:
            go_on_undoing(claim, by=by)
            return
        if run.format == ImportFormat.JIRA:
            run_jira(claim, by=by)
        else:
            run_csv(claim, by=by)
    except DomainError as refusal:
        raise GiveUp(refusal.message) from refusal
    forget_file(run)
