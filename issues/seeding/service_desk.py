"""An internal IT service desk: the third preset of the sample data."""

from typing import Final

from issues.models import IssueType
from issues.seeding.people import DEVELOPER, REPORTER
from issues.seeding.story import LabelPlan, MilestonePlan, Story, Talk, Topic

_INCIDENTS: Final = Topic(
    IssueType.BUG,
    46,
    (
        "No network in {room} since this morning",
        "Laptop does not wake up from sleep on the docking station",
        "Printer in {room} prints every page twice",
        "{app} asks for the password every ten minutes",
        "Cannot join video calls: the camera is black",
        "Shared drive of {team} is read only",
        "Calendar invitations from outside arrive hours late",
        "Second screen flickers in {room}",
        "VPN disconnects as soon as {app} is opened",
        "Badge does not open the door to {room}",
        "Mailbox is full although I deleted everything",
        "{app} shows “licence expired” for all of {team}",
        "Headset is not found after the last update",
        "Phone in {room} rings but has no sound",
        "Battery of the laptop lasts twenty minutes",
        "Files on the shared drive of {team} have disappeared",
        "Suspicious mail that pretends to come from the director",
        "Fingerprint reader stopped working",
        "Projector in {room} stays blue",
        "{app} is very slow when working from home",
        "Laptop keyboard: the letter E sticks",
        "Wi-Fi in {room} drops every few minutes",
        "Scanner sends its mails to a person who left",
        "Two-factor codes arrive after they expired",
    ),
    (
        "Since {day}. I restarted twice. A colleague in {room} has the same.",
        "It worked on {day} and nobody changed anything here. I need it for a presentation, so a "
        "replacement would help "
        "as well.",
        "Error message (as far as I could read it): “The operation could not be completed, code {code}”.",
        "All of {team} is affected, that is {count} people. We work around it with our phones for now.",
        "Hello, as in the title. I am at my desk until five. Thank you!",
    ),
    ("hardware", "network", "accounts", "software", "security"),
)

_REQUESTS: Final = Topic(
    IssueType.TASK,
    40,
    (
        "New laptop for a colleague who starts on the first",
        "Access to {app} for {team}",
        "Distribution list for the project with the harbour office",
        "Return of equipment: last working day on {day}",
        "Licence of {app} for two more people",
        "Move of three desks to {room}",
        "Guest Wi-Fi for the workshop on {day}",
        "Install {app} on the shared computer in {room}",
        "Restore a file that was deleted on {day}",
        "Bigger screen for {room}",
        "Rename an account after a wedding",
        "Out-of-office message for a colleague on sick leave",
        "Mobile phone for the person on call of {team}",
        "Shared mailbox for {team}",
        "Remove the access of an external consultant",
        "Adapters for the meeting rooms",
        "Ergonomic keyboard and mouse",
        "Loan of a laptop for a trade fair",
    ),
    (
        "Needed by {day} if possible. Cost centre {code}, my manager agreed.",
        "For {team}, please. The order is approved, the form is attached to the mail I sent.",
        "The same as {team} got last month would be fine.",
        "Short notice, I know. Anything that works is good enough.",
    ),
    ("hardware", "accounts", "onboarding", "software", "purchase"),
)

_QUESTIONS: Final = Topic(
    IssueType.QUESTION,
    14,
    (
        "How do I forward my phone when I work from home?",
        "Where do I find the template for the new letters?",
        "Am I allowed to use {app} with my private computer?",
        "Who can book {room} on weekends?",
        "How do I share a big file with a customer?",
        "How do I get my mails on the phone?",
        "Which printer is the one in {room}?",
        "How long are recordings of meetings kept?",
    ),
    ("The page in the intranet is from three years ago.", "I asked around in {team}, nobody knows.", ""),
    ("how-to",),
)

_TALK: Final = Talk(
    questions=(
        "Which computer is it? There is a sticker with a number that begins with LT.",
        "Since when exactly, and did anything change before, an update maybe?",
        "May I take over your screen for five minutes? When would it suit you?",
        "Is it the same with a cable instead of Wi-Fi?",
        "Who approves this in your department?",
    ),
    answers=(
        "It is LT-{code}.",
        "Since {day}, right after the update in the morning.",
        "Any time before noon.",
        "With the cable it works. But there is only one in the room.",
        "My manager, she has written to you already.",
    ),
    progress=(
        "I have been there: the switch in {room} had lost its configuration. Watching it for a day.",
        "Ordered; the supplier says five working days.",
        "Found the cause, it is the new policy for {app}. Rolling it back for {team} first.",
        "Prepared everything, will be done on {day} after five.",
        "Replaced the cable and the adapter. Please try again.",
    ),
    fixed=(
        "Done. Please log out and in once.",
        "Replaced the device, the old one goes back to the supplier.",
        "Access is there since a minute ago.",
        "Solved with the change of last night; I will keep an eye on it.",
        "Answered by phone, and the page in the intranet is up to date now.",
    ),
    reopened=(
        "Unfortunately it is back since this morning.",
        "It works for me, but not for the others in {team}.",
        "The new one has the same fault.",
    ),
    thanks=("Thank you, works!", "Super, thanks for the quick help.", "Great. You can close it."),
    more=(
        "If it is not better by {day}, write here and I will come by.",
        "The same goes for the computers in {room}.",
        "Sorry that it took a while, half of the team was ill.",
        "I put a spare one into the cupboard near {room}.",
        "You do not have to do anything else.",
        "Please restart once when it suits you.",
        "The inventory has it under LT-{code}.",
        "Tell your colleagues in {team} as well, please.",
    ),
    internal=(
        "Third device of this series this month. Talking to the supplier about all of them.",
        "No approval on file, asked the manager before I do anything.",
        "Looks like phishing, blocked the sender and told security.",
        "Warranty ends in two weeks, so let us send it in now.",
        "Please do not mention the pilot to the others yet.",
    ),
    blocked=(
        "Waiting for the supplier, new date is {day}.",
        "Waiting for the approval of the cost centre.",
        "The person is on holiday until {day}, I cannot go on without them.",
    ),
)

SERVICE_DESK: Final = Story(
    key="DESK",
    name="IT service desk",
    description="Computers, accounts, network, phones. Ask here rather than in the corridor.",
    preset="service_desk",
    issues=125,
    lead="priya.nair@example.com",
    teams=("IT services",),
    reporters=(
        REPORTER, REPORTER, "grace.mwangi@example.com", "paul.dubois@example.com",
        "hannah.schmidt@example.com",
        DEVELOPER,
    ),
    developers=("omar.haddad@example.com", "lena.fischer@example.com", DEVELOPER),
    maintainers=("priya.nair@example.com",),
    labels=(
        LabelPlan("hardware", "#475569"),
        LabelPlan("network", "#0284c7"),
        LabelPlan("accounts", "#7c3aed"),
        LabelPlan("software", "#0d9488"),
        LabelPlan("security", "#b91c1c"),
        LabelPlan("onboarding", "#16a34a"),
        LabelPlan("purchase", "#ca8a04", "Costs money: needs an approval."),
        LabelPlan("how-to", "#2563eb"),
    ),
    milestones=(
        MilestonePlan("Office move", "Everybody works on the new floor.", 90),
        MilestonePlan("New laptops", "The 2021 series is replaced.", 190),
    ),
    topics=(_INCIDENTS, _REQUESTS, _QUESTIONS),
    talk=_TALK,
    words={
        "room": ("room Amsterdam", "room Lisbon", "the open space", "the reception", "the warehouse"),
        "app": ("Outlook", "the back office", "SAP", "the design tool", "Teams", "the time sheet"),
        "team": ("Accounting", "Sales", "Marketing", "Customer care", "Legal"),
        "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
        "code": ("0417", "1138", "2290", "3051", "4477"),
        "count": ("4", "7", "11", "16"),
    },
    time_zone="Europe/Berlin",
    departments=("Accounting", "Sales", "Marketing", "Customer care", "Legal", "Operations"),
)  # fmt: skip
