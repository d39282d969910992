"""A public API: the triage project of the sample data."""

from typing import Final

from issues.models import IssueType
from issues.seeding.people import DEVELOPER, MAINTAINER, REPORTER
from issues.seeding.story import LabelPlan, MilestonePlan, Story, Talk, Topic

_BUGS: Final = Topic(
    IssueType.BUG,
    48,
    (
        "{endpoint} answers 500 when the body is an empty array",
        "Pagination of {endpoint} repeats the last row of a page",
        "{endpoint} ignores the time zone of `departs_after`",
        "Webhook {event} is sent twice when the worker restarts",
        "Rate limit headers are missing on 304 answers",
        "{endpoint} takes eight seconds for partners with many bookings",
        "ETag changes although nothing changed on {endpoint}",
        "Signature of {event} does not match for bodies with emoji",
        "Tokens of a deactivated partner work until they expire",
        "CORS preflight of {endpoint} is answered with 401",
        "{endpoint} returns prices as floats: 19.989999",
        "`sort=-created_at` on {endpoint} is not stable",
        "Searching {endpoint} for “O'Brien” finds nothing",
        "OpenAPI file says `string` where {endpoint} answers null",
        "Idempotency key is forgotten after a deployment",
        "{endpoint} accepts a departure in the past",
        "Deleted passengers still appear in {endpoint}",
        "429 without Retry-After when the burst limit hits",
        "Python client breaks on the new field of {endpoint}",
        "Sandbox and production disagree about required fields of {endpoint}",
        "gzip answers of {endpoint} are cut off behind the old proxy",
        "A leap day makes {endpoint} answer 422",
        "Event {event} arrives before the booking can be read",
        "Unknown query parameters are ignored silently on {endpoint}",
        "Refund of a part of a booking closes the whole invoice",
        "{endpoint} leaks the internal id of the carrier",
    ),
    (
        "```\ncurl -s https://api.harbour.example{path} -H 'Authorization: Bearer …'\n```\n\nRequest id "
        "`{request}`. It "
        "started with the deployment on Tuesday; the week before it was fine.",
        "Reported by {partner}. They send about {count} requests a minute and see this for one in a "
        "hundred.\n\n"
        "Expected: as documented. Actual: see the title.",
        "Found with the contract tests against the sandbox.\n\n| case | expected | actual |\n| --- | --- "
        "| --- |\n"
        "| plain | 200 | 200 |\n| with `include=` | 200 | as in the title |",
        "{partner} opened a ticket for it and asks for a date. Their release is blocked.",
        "Alert at night: the error rate went to {count} in ten minutes, then fell by itself. Trace of "
        "one of them: "
        "`{request}`.",
    ),
    ("regression", "performance", "documentation", "security", "webhooks", "partner"),
)

_FEATURES: Final = Topic(
    IssueType.FEATURE,
    24,
    (
        "Cursor pagination for {endpoint}",
        "Bulk creation of bookings",
        "Let partners choose the fields of {endpoint}",
        "Webhook for {event}",
        "Personal access tokens with scopes",
        "Server-sent events as an alternative to polling {endpoint}",
        "Filter {endpoint} by several ports at once",
        "Sandbox that resets itself every night",
        "Rotate webhook secrets without losing events",
        "Return the carbon footprint in {endpoint}",
        "Changelog feed that machines can read",
        "Official client for Go",
        "Hold a seat for ten minutes through {endpoint}",
        "Test events from the developer console",
        "`If-Match` on {endpoint}",
    ),
    (
        "{partner} asks for it, and two others said they would use it. Proposal:\n\n- add it behind a "
        "header first\n"
        "- document it as beta for a month\n- then make it the default",
        "We answer this question about {count} times a quarter. An endpoint would be cheaper than the "
        "answers.",
        "Needed for the next version of the mobile app, see their board. {endpoint} has most of it already.",
    ),
    ("idea", "partner", "webhooks"),
)

_TASKS: Final = Topic(
    IssueType.TASK,
    18,
    (
        "Upgrade PostgreSQL of the booking service",
        "Document the error codes of {endpoint}",
        "Add an index for the slow query behind {endpoint}",
        "Remove version 1 of {endpoint}",
        "Load test with ten times the traffic of summer",
        "Fuzz {endpoint} from the OpenAPI file in CI",
        "Move secrets of the webhook sender into the vault",
        "Dashboards for {event}",
        "Runbook: queue of webhooks is growing",
        "Trace {endpoint} from the gateway to the database",
        "Tell {partner} about the end of TLS 1.1",
    ),
    (
        "Agreed in the platform meeting. Definition of done: it runs for a week without an alert.",
        "Follow-up of the incident in spring. See the write-up in the wiki, action item {count}.",
        "",
    ),
    ("upkeep", "documentation", "performance"),
)

_QUESTIONS: Final = Topic(
    IssueType.QUESTION,
    10,
    (
        "Is {endpoint} safe to retry?",
        "How long are events of type {event} kept?",
        "Which time zone does {endpoint} use for dates without one?",
        "May {partner} share one token between two systems?",
        "What happens to webhooks while our end is down?",
        "Can {endpoint} return more than 100 rows?",
    ),
    (
        "I could not find it in the documentation. {partner} asked me yesterday.",
        "The guide says one thing and the reference another. Which one is right?",
    ),
    ("documentation", "partner"),
)

_TALK: Final = Talk(
    questions=(
        "Do you have a request id for one that failed? Then I can look at the trace.",
        "Which client and version do they use?",
        "Does it happen in the sandbox as well?",
        "Is there a pattern in the times? I see nothing in the graphs.",
    ),
    answers=(
        "Request id `{request}`, from this morning.",
        "Their own client in Java, it sends HTTP/1.1.",
        "Yes, in the sandbox too, a little less often.",
        "Mostly around full hours, when their batch jobs run.",
    ),
    progress=(
        "The trace shows {count} queries for one request. A prefetch is missing since we added the carrier.",
        "Wrote a failing test for {endpoint}; the fix is small, the migration is not.",
        "This is the same cause as the incident last month: the retry does not carry the idempotency key.",
        "Rolled out to the sandbox behind a flag. {partner} tries it tomorrow.",
        "Checked the plan on production data: with the index it takes 4 ms instead of 2 s.",
        "Blocked by the deployment freeze until Thursday, the change is reviewed and ready.",
    ),
    fixed=(
        "Deployed. Error rate is back to zero for an hour now.",
        "Merged and released; the changelog has an entry.",
        "Answered in the documentation, see the section about retries.",
        "Done. {partner} confirmed by mail.",
    ),
    reopened=(
        "{partner} sees it again since the last deployment. New request id: `{request}`.",
        "The fix covers JSON only. For form bodies it is as before.",
        "It is faster, but still above our own limit for {endpoint}.",
    ),
    thanks=(
        "Confirmed by the partner, thank you.",
        "Great, that was quick.",
        "Works, their release is unblocked.",
    ),
    more=(
        "The graph for {endpoint} is in the dashboard of the team.",
        "No change for partners who follow the documentation.",
        "I added a contract test so that it cannot come back silently.",
        "Roll-back is one switch, see the runbook.",
        "{partner} should see it within the hour.",
        "There are {count} rows left over from before, a job cleans them tonight.",
        "While there I found that {endpoint} logs too much; separate issue.",
        "Please shout if your numbers differ from mine.",
        "The sandbox has had it since yesterday without complaints.",
    ),
    internal=(
        "{partner} is up for renewal in two months, please keep me posted.",
        "Their token was in a public repository. Revoked it, they have a new one.",
        "The numbers in their mail are wrong, but the problem is real.",
        "Security has looked at it: no data of other partners was shown.",
    ),
)

PUBLIC_API: Final = Story(
    key="API",
    name="Public API",
    description="Timetables, bookings and webhooks for partners. Reference: the developer portal.",
    preset="triage",
    issues=115,
    lead=MAINTAINER,
    teams=("Platform",),
    reporters=(
        REPORTER, MAINTAINER, "paul.dubois@example.com", "tomas.herrera@example.com",
        "yuki.tanaka@example.com",
    ),
    developers=(DEVELOPER, "tomas.herrera@example.com", "omar.haddad@example.com"),
    maintainers=(MAINTAINER,),
    labels=(
        LabelPlan("regression", "#dc2626", "Worked in an earlier release."),
        LabelPlan("performance", "#ea580c"),
        LabelPlan("documentation", "#2563eb"),
        LabelPlan("security", "#991b1b", "Handle with care."),
        LabelPlan("webhooks", "#0d9488"),
        LabelPlan("partner", "#9333ea", "A partner is waiting for it."),
        LabelPlan("idea", "#ca8a04"),
        LabelPlan("upkeep", "#6b7280"),
    ),
    milestones=(
        MilestonePlan("Webhooks that can be trusted", "Signed, ordered, delivered again.", 70),
        MilestonePlan("v2 for all partners", "The last partner leaves version 1.", 140),
        MilestonePlan("Developer portal", "Everything a partner needs without asking us.", 205),
    ),
    topics=(_BUGS, _FEATURES, _TASKS, _QUESTIONS),
    talk=_TALK,
    words={
        "endpoint": (
            "`GET /crossings`", "`POST /bookings`", "`GET /bookings`", "`PATCH /bookings/{id}`",
            "`GET /ports`", "`POST /refunds`", "`GET /invoices`", "`GET /passengers`",
        ),
        "path": ("/v2/crossings", "/v2/bookings?size=100", "/v2/ports?near=54.1,12.1", "/v2/invoices"),
        "event": ("booking.created", "booking.changed", "crossing.delayed", "refund.paid"),
        "partner": ("Nordlys Travel", "Seabridge", "Kontiki Reisen", "Ferryman", "Mare Nostrum Tours"),
        "request": ("7f3c91d2", "b04e6a1f", "2ad97c50", "e618f3b9", "90c2ab47"),
        "count": ("3", "12", "27", "48", "140", "260"),
    },
    estimates=(1, 2, 3, 5, 8, 13),
)  # fmt: skip
