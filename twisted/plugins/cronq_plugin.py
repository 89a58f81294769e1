"""What `twistd` can start. Strings only: every call of twistd imports this file, whatever it is to start."""

from twisted.application.service import ServiceMaker

injector = ServiceMaker(
    "cronq injector",
    "cronq.commands.injector",
    "Put each job that is due on the queue.",
    "cronq-injector",
)
runner = ServiceMaker(
    "cronq runner",
    "cronq.commands.runner",
    "Run the commands of the jobs that arrive on a queue.",
    "cronq-runner",
)
results = ServiceMaker(
    "cronq results",
    "cronq.commands.results",
    "Grant the starts and record the results of runs.",
    "cronq-results",
)
web = ServiceMaker(
    "cronq web",
    "cronq.commands.web",
    "Serve the pages and the API.",
    "cronq-web",
)
all_in_one = ServiceMaker(
    "cronq",
    "cronq.commands.all_in_one",
    "All of cronq in one process, with nothing else to install.",
    "cronq",
)
