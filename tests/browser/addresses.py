"""The pages of the console by part, as addresses that the tests of every page open.

A page that needs something of the shop (a case, a problem) names it in braces: `{case}`; the fixtures fill it in.
"""

DESK = (
    "/console/desk",
    "/console/ask?q=May+unworn+clothing+be+returned%3F",
    "/console/cases/{case}",
)
PROBLEMS = (
    "/console/problems",
    "/console/problems/{problem}",
)
TRAFFIC = ("/console/traffic",)
KNOWLEDGE = (
    "/console/knowledge",
    "/console/knowledge/gaps",
    "/console/knowledge/conflicts",
    "/console/knowledge/stale",
    "/console/documents/returns",
)
ADMINISTRATION = (
    "/console/administration",
    "/console/administration/audit",
)
PAGES = (*DESK, *PROBLEMS, *TRAFFIC, *KNOWLEDGE, *ADMINISTRATION)
