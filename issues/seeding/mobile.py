"""A mobile app for ferry tickets: the kanban project of the sample data."""

from typing import Final

from issues.models import IssueType
from issues.seeding.people import DEVELOPER, MAINTAINER, REPORTER
from issues.seeding.story import LabelPlan, MilestonePlan, Story, Talk, Topic

_BUGS: Final = Topic(
    IssueType.BUG,
    50,
    (
        "Boarding pass stays blank after the phone was offline",
        "Seat map jumps back to the first deck after rotating the screen",
        "App closes when a photo of the vehicle is attached on {device}",
        "Departure times are an hour off for crossings to {port}",
        "Push notification about a delay opens the wrong booking",
        "Pull to refresh on {screen} never stops spinning",
        "Keyboard covers the promo code field on {device}",
        "Apple Pay sheet appears twice when tapping quickly",
        "Saved passengers are listed twice after signing in again",
        "Dark mode: text on {screen} is hardly readable",
        "VoiceOver reads the price without the currency on {screen}",
        "Return trip is dropped when the outbound crossing is changed",
        "Crash on start after updating from {version}",
        "Barcode is too dark to be scanned at the gate in {port}",
        "Search for “{port}” finds nothing when typed without accents",
        "Total on {screen} differs from the receipt by one cent",
        "Deep link from the confirmation mail opens an empty page",
        "Cabin upgrade is offered although all cabins are taken",
        "Cards with a 19 digit number are refused on {screen}",
        "Map of the terminal in {port} shows the old gates",
        "App keeps using location in the background on {device}",
        "Cancel button on {screen} is below the fold with large text",
        "Children's tickets count as adults in the group discount",
        "Swiping back from {screen} loses the passenger names",
        "Countdown to departure goes negative after midnight",
        "Download of the PDF ticket fails on a slow connection",
        "Language falls back to English after switching accounts",
        "Duplicate charge when the payment page is reloaded",
        "Widget shows yesterday's crossing until the app is opened",
        "Vehicle length accepts a comma but ignores what follows",
        "Bookings made on the website arrive only after a restart",
        "Long passenger names run into the price on {screen}",
        "Haptic feedback fires twice when choosing a seat",
        "Loyalty points are missing for crossings to {port}",
    ),
    (
        "Seen on {device} with version {version}.\n\nSteps:\n1. Open {screen}\n2. Leave the app for a "
        "minute and come "
        "back\n3. Look again\n\nExpected: it works as before. Actual: see the title. Happens about every "
        "third time.",
        "Three customers wrote about this since Monday, all travelling to {port}. One of them sent a "
        "screen recording "
        "(device: {device}, app {version}).",
        "Found while testing {version}. Not in the release before, so it came with the new navigation.\n\n"
        "Reproduces every time on {device}; the simulator is fine.",
        "Support ticket {ticket}: the customer is on {device}. After reinstalling it went away for a day "
        "and then came "
        "back. The log ends with a timeout on {screen}.",
        "This breaks check-in for people who are already at the terminal, so it hurts more than the "
        "numbers say. "
        "Work-around: force quit and open the app again.",
    ),
    ("regression", "crash", "payments", "accessibility", "ios", "android"),
)

_FEATURES: Final = Topic(
    IssueType.FEATURE,
    22,
    (
        "Add boarding passes to Apple Wallet",
        "Share a booking with fellow travellers",
        "Show how full a crossing is before choosing it",
        "Rebook to an earlier crossing from the delay notice",
        "Remember the vehicle for the next booking",
        "Offline timetable for the next seven days",
        "Favourite routes on {screen}",
        "Filter crossings by cabins that allow pets",
        "Price alert for crossings to {port}",
        "Sign in with a passkey",
        "Live position of the ship on the day of travel",
        "Tip jar for the crew of the night crossings",
        "Order breakfast ahead from {screen}",
        "Gift vouchers as a way to pay",
        "Group bookings of up to twelve people",
        "Widget with the next departure from {port}",
        "Bigger text option that follows the system setting",
        "Scan the passport instead of typing the number",
    ),
    (
        "Asked for by {count} people in the last survey. The smallest useful thing would be an entry on "
        "{screen}; the "
        "rest can follow.",
        "As a regular traveller I want this so that I need not call the office each time. Competitors "
        "have had it for "
        "years.\n\nOut of scope: anything that needs the ship's network.",
        "Idea from the workshop in {port}. Design has a sketch; the API has what we need except for one "
        "field, see the "
        "linked issue.",
        "Would save support about {count} calls a month. We should measure that before and after.",
    ),
    ("idea", "design", "ios", "android"),
)

_STORIES: Final = Topic(
    IssueType.STORY,
    12,
    (
        "As a passenger I see my gate as soon as it is known",
        "As a parent I check in the whole family at once",
        "As a commuter I buy a ten-trip ticket on {screen}",
        "As a driver I change my number plate until an hour before departure",
        "As a traveller to {port} I learn about a delay before I leave home",
        "As a guest I book without making an account",
        "As a cyclist I add a bicycle to a booking that exists",
        "As a returning customer I pay with the card that I used last",
    ),
    (
        "Acceptance:\n- works on {screen} and from the notification\n- understandable without colours\n- "
        "covered by an "
        "end-to-end test\n\nDesign is ready, texts are with translation.",
        "Split from the epic after planning. The back end delivers this already for the website; we only "
        "have to show "
        "it.",
    ),
    ("design",),
)

_TASKS: Final = Topic(
    IssueType.TASK,
    16,
    (
        "Update the crash reporter to its new major version",
        "Replace the image loader on {screen}",
        "Measure the cold start on {device}",
        "Remove the feature flag of the old checkout",
        "Move texts of {screen} into the translation files",
        "Screenshots for the stores, release after {version}",
        "Write down how a hotfix is released",
        "Raise the minimum to Android 10",
        "Snapshot tests for {screen}",
        "Delete unused colours from the theme",
        "Rotate the signing key of the beta channel",
        "Check all analytics events against the privacy statement",
        "Run the accessibility scanner over {screen}",
    ),
    (
        "Part of the upkeep that we agreed on for this quarter. Half a day, maybe one.",
        "Comes from the retrospective: this cost us time with {version}. Please note findings here.",
        "",
    ),
    ("upkeep", "ios", "android"),
)

_TALK: Final = Talk(
    questions=(
        "Which version of the app is that? Settings, at the very bottom.",
        "Does it also happen on Wi-Fi, or only on the mobile network?",
        "Could you attach a screen recording? I cannot reproduce it on {device}.",
        "Is this with the account from the website or one made in the app?",
        "How urgent is it for the people at the terminal?",
    ),
    answers=(
        "Version {version}, and yes, on Wi-Fi as well.",
        "Only on the mobile network as far as I can tell.",
        "I tried on a second phone: same thing. It is {device}.",
        "An account from the website, made years ago.",
        "It happens to somebody every day, so rather urgent.",
    ),
    progress=(
        "Reproduced on {device}. The view is restored before the booking is loaded.",
        "Found it: we keep the old state when {screen} is opened from a notification. Working on a test "
        "first.",
        "Half way. The iOS part is done and in the beta, Android follows tomorrow.",
        "Pushed a branch. It needs a review from somebody who knows {screen}.",
        "The cause is a race between the cache and the first request. Removing the cache costs nothing here.",
        "Talked to Platform: the field will be in the next version of the API, so we can stop guessing.",
    ),
    fixed=(
        "Fixed and in the build of tonight. Please check with the beta.",
        "Merged. Covered by a test that failed before.",
        "Done; the text went to translation and comes with the next build.",
        "Released with the hotfix this morning.",
    ),
    reopened=(
        "Still there with the new build, but only when the phone is turned sideways.",
        "Came back for one customer on {device}. Reopening.",
        "The fix works on iOS. On Android I see the same as before.",
    ),
    thanks=(
        "Confirmed with the beta, thank you!",
        "Works now, also for the customer who wrote in.",
        "Perfect, thanks.",
    ),
    internal=(
        "The customer is a journalist, let us be quick and friendly.",
        "Refunded two bookings by hand because of this, see {ticket}.",
        "Legal wants to know about it if it affects more than ten people.",
    ),
    more=(
        "Tested on {device} and on the slowest phone in the drawer.",
        "Somebody please look at the wording on {screen}.",
        "Not in {version}, only from the next build on.",
        "If it shows up again, the diagnostic log of the app would help a lot.",
        "There is a similar place on {screen} that I left alone for now.",
        "Thanks for the precise steps, that saved me an hour.",
        "I also removed a warning that had been there since {version}.",
        "@Rosa: the people in {port} can try it from tonight.",
        "Took longer than I thought, the old code had no tests.",
    ),
    canceled=(
        "We will not do this: the new checkout replaces the page anyway.",
        "Closing, nobody asked again since the survey.",
        "Not planned. The operating system does this by itself since its last version.",
    ),
)

MOBILE: Final = Story(
    key="MOB",
    name="Harbour mobile app",
    description="The app that passengers book, check in and board with, for iOS and Android.",
    preset="kanban",
    issues=140,
    lead=MAINTAINER,
    teams=("Mobile",),
    reporters=(REPORTER, "grace.mwangi@example.com", "paul.dubois@example.com", MAINTAINER, DEVELOPER),
    developers=(DEVELOPER, "yuki.tanaka@example.com", "lena.fischer@example.com"),
    maintainers=(MAINTAINER,),
    labels=(
        LabelPlan("regression", "#dc2626", "Worked in an earlier release."),
        LabelPlan("crash", "#b91c1c", "The app closes."),
        LabelPlan("payments", "#7c3aed"),
        LabelPlan("accessibility", "#0891b2"),
        LabelPlan("design", "#db2777", "Needs or has a design."),
        LabelPlan("ios", "#475569"),
        LabelPlan("android", "#16a34a"),
        LabelPlan("idea", "#ca8a04"),
        LabelPlan("upkeep", "#6b7280", "Keeps the code in shape."),
    ),
    milestones=(
        MilestonePlan("5.0 Boarding", "Boarding passes that never fail at the gate.", 55),
        MilestonePlan("5.1 Summer", "What the summer season needs.", 110),
        MilestonePlan("5.2 Groups", "Families and groups travel together.", 165),
        MilestonePlan("6.0 Checkout", "The new checkout.", 215),
    ),
    topics=(_BUGS, _FEATURES, _STORIES, _TASKS),
    talk=_TALK,
    words={
        "device": (
            "an iPhone 13",
            "an iPhone SE",
            "a Pixel 8",
            "a Galaxy S23",
            "a Fairphone 5",
            "an iPad mini",
        ),
        "port": ("Tromsø", "Gdańsk", "Málaga", "Rødby", "Saint-Malo", "Ancona"),
        "screen": (
            "My bookings",
            "the checkout",
            "the seat map",
            "the search",
            "the timetable",
            "the profile page",
        ),
        "version": ("5.0.1", "5.0.3", "5.1.0", "5.1.2", "5.2.0", "4.9.8"),
        "ticket": ("H-20418", "H-20977", "H-21350", "H-22019", "H-22673"),
        "count": ("14", "23", "31", "40", "58"),
    },
    time_zone="Europe/Stockholm",
    has_cycles=True,
    estimates=(1, 2, 3, 5, 8),
)
