"""The pages of the console by part, as addresses that the tests of every page open.

A page that needs something of the shop (a case, a problem) names it in braces: `{case}`; the fixtures fill it in.
"""

DESK = (
    "/console/desk",
    "/console/ask?q=May+unworn+clothing+be+returned%3F",
    "/console/cases/{case}",
    "/console/cases/{case}/turns",
    "/console/cases/{case}/experts",
    "/console/desk?view=resolved",
    "/console/search?q=unworn+clothing",
    "/console/shortcuts",
)
PROBLEMS = (
    "/console/problems",
    "/console/problems/{problem}",
    "/console/problems/graph",
    "/console/problems/graph?at={problem}",
    "/console/problems/{problem}/merge",
    "/console/problems/{problem}/split",
    "/console/problems/{problem}/parent",
    "/console/alerts",
    "/console/alerts/{alert}",
    "/console/alerts/digest",
    "/console/proposals?state=all",
    "/console/proposals/{proposal}",
    "/console/backtest",
)
TRAFFIC = (
    "/console/traffic",
    "/console/traffic/service?days=28",
    "/console/traffic/people",
    "/console/traffic/people/{agent}",
    "/console/traffic/trials",
    "/console/traffic/trials/{experiment}",
)
KNOWLEDGE = (
    "/console/knowledge",
    "/console/knowledge/gaps",
    "/console/knowledge/gaps/{gap}",
    "/console/knowledge/reviews",
    "/console/knowledge/reviews?kind=edit",
    "/console/knowledge/reviews/judged?kind=edit",
    "/console/knowledge/reviews/{edit}/article",
    "/console/knowledge/asking?q=May+unworn+clothing+be+returned%3F&tier=gold",
    "/console/knowledge/conflicts",
    "/console/knowledge/stale",
    "/console/knowledge/stale?view=looked",
    "/console/documents/{document}",
    "/console/knowledge/upload",
    "/console/knowledge/new?kind=resolution",
    "/console/knowledge/edit/{document}",
)
ADMINISTRATION = (
    "/console/administration",
    "/console/administration/keys",
    "/console/administration/webhooks",
    "/console/administration/webhooks/quality",
    "/console/administration/webhooks/quality/edit",
    "/console/administration/new/webhook",
    "/console/administration/new/intent",
    "/console/administration/new/agent",
    "/console/administration/webhooks/quality/remove",
    "/console/administration/intents?message=where+is+my+parcel",
    "/console/administration/intents/parcel",
    "/console/administration/agents",
    "/console/administration/agents/{agent}",
    "/console/administration/expertise",
    "/console/administration/expertise/delivery",
    "/console/administration/workspaces",
    "/console/administration/audit",
    "/console/administration/rules",
    "/console/administration/index",
    "/console/administration/backups",
)
PAGES = (*DESK, *PROBLEMS, *TRAFFIC, *KNOWLEDGE, *ADMINISTRATION)


def name_of(address: str) -> str:
    """A short name of a page: its path without the console and what the shop fills in, and what its query chooses."""
    path, _, query = address.partition("?")
    parts = [part for part in path.split("/")[2:] if not part.startswith("{")]
    one = ["one"] if "{" in path else []
    chosen = [pair.partition("=") for pair in query.split("&") if pair and not pair.startswith("q=")]
    return "-".join([*parts, *one, *(value if value.isalnum() else name for name, _, value in chosen)])
