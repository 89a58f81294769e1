"""What the commands of jobs get to see of the runner's environment."""

from twisted.trial.unittest import SynchronousTestCase

from cronq.commands.runner import command_environment

SECRETS = {
    "RABBITMQ_URL": "amqp://u:p@mq/",
    "RABBITMQ_URL_FILE": "/run/secrets/mq",
    "SECRET_KEY": "k",
    "SECRET_KEY_FILE": "/run/secrets/key",
}


class CommandEnvironmentTests(SynchronousTestCase):
    def test_inherited(self) -> None:
        """Commands have the runner's own variables: the jobs of users rely on them."""
        given = {"PATH": "/bin", "HOME": "/srv", "DATABASE_URL": "mysql://reports@db/reports", "EMPTY": ""}
        self.assertEqual(command_environment(given), given)

    def test_secrets(self) -> None:
        """They do not have what would let them act as cronq."""
        self.assertEqual(command_environment({"PATH": "/bin"} | SECRETS), {"PATH": "/bin"})

    def test_hidden_by_the_operator(self) -> None:
        """`CRONQ_HIDE` names more, with commas and spaces between them, and hides itself."""
        given = {"A": "1", "B": "2", "C": "3", "a": "4", "CRONQ_HIDE": "A, B,,NOT_THERE"}
        self.assertEqual(command_environment(given), {"C": "3", "a": "4"})

    def test_hides_no_more_than_asked(self) -> None:
        """Whether others are hidden or not, the secrets of cronq are."""
        self.assertEqual(command_environment(SECRETS | {"CRONQ_HIDE": ""}), {})
