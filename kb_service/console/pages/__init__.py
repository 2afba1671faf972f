"""The pages of the console: parse, call one of the services, render."""

from kb_service.console.pages import administration, desk, knowledge, problems, signing_in, traffic

ROUTERS = (
    signing_in.router,
    desk.router,
    problems.router,
    knowledge.router,
    traffic.router,
    administration.router,
)
