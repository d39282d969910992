"""What a worker does with a run: import its file, or undo what it brought."""

from accounts.models import User
from tracker.caller import Caller
from tracker.durable import Claim, GiveUp, handles
from tracker.errors import DomainError, NotAllowed
from transfer.files import drop_file
from transfer.models import Import, ImportFormat
from transfer.references import drop_forgotten
from transfer.running import run_csv
from transfer.running_jira import run_jira
from transfer.services.imports import end_told, go_on_undoing, require_today


def forget_file(run: Import) -> None:
    """Delete the file of a run that is over, and files that a crash left."""
    drop_file(run.file_name)
    drop_forgotten()


@handles(Import, given_up=forget_file)
def do_import(claim: Claim[Import]) -> None:
    """Import, or undo an import, as the person who asked for it with their rights of today."""
    run = claim.row
    asker = User.objects.get(pk=(run.undone_by_id if run.is_undo else None) or run.author_id)
    by = Caller(user=asker, source="import", cause=run.pk, request_id=run.request_id)
    try:
        _do(claim, by=by)
    except NotAllowed as refusal:
        end_told(
            claim, "Whoever asked for this may not import here any more. Nothing more was written.", refusal
        )
    except (DomainError, GiveUp) as refusal:
        end_told(claim, refusal.message if isinstance(refusal, DomainError) else str(refusal), refusal)
    if not run.is_undo:
        forget_file(run)


def _do(claim: Claim[Import], *, by: Caller) -> None:
    run = claim.row
    require_today(by, run.project_id)
    if run.is_undo:
        go_on_undoing(claim, by=by)
    elif run.format == ImportFormat.JIRA:
        run_jira(claim, by=by)
    else:
        run_csv(claim, by=by)
