"""A private project that only its team, its lead and admins see."""

from typing import Final

from issues.models import IssueType
from issues.seeding.people import DEVELOPER, MAINTAINER
from issues.seeding.story import LabelPlan, MilestonePlan, Story, Talk, Topic

_FINDINGS: Final = Topic(
    IssueType.BUG,
    60,
    (
        "Password reset link of {system} works twice",
        "{system} answers faster for known addresses",
        "Outdated image in the build of {system}",
        "Bucket of {system} lists its files",
        "Session of {system} survives a change of password",
        "Missing rate limit on the sign-in of {system}",
        "Open redirect after signing in to {system}",
        "Logs of {system} hold whole card numbers",
        "Former employee still has a role in {system}",
    ),
    (
        "From the penetration test, finding {count}. Proof of concept is in the report, which stays in "
        "the vault.",
        "Reported by a researcher under our disclosure policy. We owe them an answer within five days.",
        "Found by the nightly scan. Severity as the scanner says, to be checked.",
    ),
    ("pentest", "disclosure", "dependencies"),
)

_WORK: Final = Topic(
    IssueType.TASK,
    40,
    (
        "Review the threat model of {system}",
        "Rotate the keys of {system}",
        "Tabletop exercise: {system} is encrypted by an attacker",
        "Two-factor for everybody in {system}",
        "Answer the questionnaire of the insurance",
        "Shorten who may deploy {system}",
    ),
    ("Yearly, due at the end of the quarter.", "Agreed with the auditors in spring.", ""),
    ("audit",),
)

SECURITY_REVIEWS: Final = Story(
    key="SEC",
    name="Security reviews",
    description="Findings and their repair. Private: not everything here may be told before it is mended.",
    preset="kanban",
    issues=26,
    lead=MAINTAINER,
    teams=("Platform",),
    reporters=(MAINTAINER, "omar.haddad@example.com", DEVELOPER),
    developers=(DEVELOPER, "tomas.herrera@example.com", "omar.haddad@example.com"),
    maintainers=(MAINTAINER,),
    labels=(
        LabelPlan("pentest", "#b91c1c"),
        LabelPlan("disclosure", "#9333ea", "Somebody outside knows."),
        LabelPlan("dependencies", "#ca8a04"),
        LabelPlan("audit", "#475569"),
    ),
    milestones=(MilestonePlan("Audit", "Nothing critical is left open.", 150),),
    topics=(_FINDINGS, _WORK),
    talk=Talk(
        questions=("Is it reachable from outside?", "Do we know since when?"),
        answers=("Only from the office network.", "Since the migration, as far as the logs go back."),
        progress=(
            "Closed the hole at the gateway; the real repair follows.",
            "Looked through the logs of {count} days: nobody used it.",
            "Patch is in review. Please keep the description vague in the commit.",
        ),
        fixed=(
            "Mended and checked with the proof of concept.",
            "Done, evidence is in the vault.",
            "Rotated.",
        ),
        reopened=(
            "The second host still answers in the old way.",
            "The check of the auditors found one more.",
        ),
        thanks=("Checked, thank you.", "Good. I will tell the researcher."),
        more=(
            "Evidence is attached to the entry in the vault.",
            "Nothing of it may leave this project until the release.",
            "The other {count} systems of that kind are not affected.",
            "I will look at {system} again in a week.",
        ),
        internal=("We pay the researcher the middle bounty.", "Legal says it need not be reported."),
        canceled=("Accepted as a risk until the system is switched off in winter.",),
    ),
    words={
        "system": (
            "the partner portal",
            "the intranet",
            "the booking service",
            "the payroll",
            "the build server",
        ),
        "count": ("4", "9", "14", "30"),
    },
    is_private=True,
    estimates=(1, 2, 3, 5),
)
