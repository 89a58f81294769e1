"""Real commands with a directory, a user, a shell, a mask and arguments of their own."""

import os
import pwd
import signal
from pathlib import Path
from typing import Any

from twisted.internet.defer import gatherResults

from cronq.domain.errors import CannotStart
from cronq.domain.outputs import Stream
from tests.integration.test_processes import CommandTestCase, is_alive

#: A user that every Debian has, and who owns nothing.
OTHER = pwd.getpwnam("nobody")
HOSTILE = ["", "-n", "--", "a b", "'\"$(x)`y`\\", "a\nb", "\u0434\U0001f418", "*", "$1"]


class SurroundingsTestCase(CommandTestCase):
    """Looks at what a command sees."""

    async def seen(self, command: str, **rules: Any) -> str:
        """What a command writes that ends well."""
        self.output[Stream.OUT] = b""
        ended = await self.launch(command, **rules).ended
        self.assertEqual((ended.return_code, self.output[Stream.ERR]), (0, b""))
        return self.output[Stream.OUT].decode()

    def refusal(self, **rules: Any) -> str:
        """Why a command is not started. Nothing is left of the attempt."""
        return str(self.assertRaises(CannotStart, self.launch, "echo started", **rules))

    def new_folder(self, name: str = "folder", mode: int = 0o755) -> Path:
        folder = Path(self.mktemp()).resolve() / name
        folder.mkdir(parents=True)
        folder.chmod(mode)
        return folder


class DirectoryTests(SurroundingsTestCase):
    """The rule `directory`."""

    async def test_begins_there(self) -> None:
        """The command begins in its directory, whatever the name of that is."""
        for name in ("plain", "-", "a b", "'\"$(x)", "a\nb", "größe"):
            folder = self.new_folder(name)
            self.assertEqual(await self.seen("pwd -P", directory=str(folder)), f"{folder}\n")
        self.assertNotIn("OLDPWD", await self.seen("env", directory="/"))

    async def test_the_runner_stays(self) -> None:
        """The runner itself stays where it is, also while commands begin elsewhere at the same time."""
        here, folders = Path.cwd(), [self.new_folder(str(number)) for number in range(20)]
        ends = [self.launch("pwd -P", directory=str(folder)).ended for folder in folders]
        await gatherResults(ends)
        written = sorted(self.output[Stream.OUT].decode().split())
        self.assertEqual((written, Path.cwd()), (sorted(map(str, folders)), here))

    def test_missing(self) -> None:
        """A directory that is not there is told, and nothing is started."""
        missing = self.new_folder() / "missing"
        self.assertEqual(
            self.refusal(directory=str(missing)),
            f"the directory '{missing}' cannot be entered: No such file or directory",
        )

    def test_not_a_directory(self) -> None:
        """So is a file in its place."""
        file = self.new_folder() / "file"
        file.touch()
        self.assertEqual(
            self.refusal(directory=str(file)), f"the directory '{file}' cannot be entered: Not a directory"
        )

    def test_hostile(self) -> None:
        """What cannot be a path is told, too."""
        self.assertIn("cannot be handed to /bin/sh: embedded null byte", self.refusal(directory="/a\0b"))
        self.assertIn("File name too long", self.refusal(directory="/" + "x" * 300))


class UserTests(SurroundingsTestCase):
    """The rule `user`; the tests run as root, or see that nobody else may switch."""

    async def test_another_user(self) -> None:
        """The command has user, group and groups of its user, and is told who it is."""
        if os.geteuid() != 0:
            self.assertIn("may not run commands as 'nobody'", self.refusal(user="nobody"))
            return
        self.assertEqual(
            await self.seen("id -un; id -gn; id -Gn", user="nobody"), "nobody\nnogroup\nnogroup\n"
        )
        shown = await self.seen("echo $HOME $USER $LOGNAME", user="nobody")
        self.assertEqual(shown, f"{OTHER.pw_dir} nobody nobody\n")

    async def test_another_group(self) -> None:
        """A group may be named as well."""
        if os.geteuid() != 0:
            self.assertIn("may not run commands as 'nobody'", self.refusal(user="nobody:daemon"))
            return
        self.assertEqual(await self.seen("id -un; id -gn", user="nobody:daemon"), "nobody\ndaemon\n")

    async def test_own_user(self) -> None:
        """Any runner runs commands as the user that it is itself."""
        own = pwd.getpwuid(os.geteuid())
        self.assertEqual(
            await self.seen("id -u; echo $HOME", user=own.pw_name), f"{own.pw_uid}\n{own.pw_dir}\n"
        )

    async def test_own_variables(self) -> None:
        """What a job says of its environment counts more than what is said of its user."""
        own = pwd.getpwuid(os.geteuid()).pw_name
        rules = {"user": own, "variables": {"HOME": "/elsewhere"}}
        self.assertEqual(await self.seen("echo $HOME", **rules), "/elsewhere\n")

    def test_nobody_of_that_name(self) -> None:
        """A user or a group that is not known here is told by name."""
        self.assertEqual(self.refusal(user="no-such-user"), "there is no user 'no-such-user' on this host")
        self.assertEqual(self.refusal(user="nobody:none"), "there is no group 'none' on this host")
        for hostile in ("-u", "a\0b", "", "0", "../x"):
            self.assertIn("there is no user", self.refusal(user=hostile))

    def test_directory_that_is_closed_to_the_user(self) -> None:
        """A directory that the runner may enter and the user may not is told."""
        folder = self.new_folder(mode=0o700)
        expected = f"the directory '{folder}' cannot be entered by 'nobody'"
        if os.geteuid() != 0:
            expected = "this runner may not run commands as 'nobody': Operation not permitted"
        self.assertEqual(self.refusal(user="nobody", directory=str(folder)), expected)

    async def test_is_ended(self) -> None:
        """A command of another user is ended like any other, with its children."""
        user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        running = self.launch("trap '' TERM; sleep 600 & echo pid $!; wait", user=user)
        await self.until_written(b"pid ")
        child = self.pid_written()
        running.terminate(0.1)
        self.assertEqual((await running.ended).return_code, 128 + signal.SIGKILL)
        await self.until(lambda: not is_alive(child))


class OtherTests(SurroundingsTestCase):
    """The rules `shell`, `umask` and `environment`, and arguments."""

    async def test_umask(self) -> None:
        """Files are made with the mask of the job, and the runner keeps its own."""
        folder = self.new_folder()
        for mask, mode in ((0o027, 0o640), (0o777, 0), (0, 0o666)):
            await self.seen("rm -f made; : >made", directory=str(folder), umask=mask)
            self.assertEqual((folder / "made").stat().st_mode & 0o777, mode)
        mask = os.umask(0o022)
        os.umask(mask)
        self.assertEqual(int(await self.seen("umask"), 8), mask)

    async def test_shell(self) -> None:
        """The command is given to the shell of the job."""
        self.assertEqual(await self.seen("echo ${BASH_VERSION:+bash}", shell="/bin/bash"), "bash\n")
        self.assertIn("could not be started: No such file or directory", self.refusal(shell="/no/such/shell"))
        self.assertIn("could not be started: Permission denied", self.refusal(shell="/etc/passwd"))

    async def test_arguments(self) -> None:
        """Arguments come through as they are, whatever is in them."""
        for rules in ({}, {"directory": "/"}):
            shown = await self.seen('printf "[%s]" "$@"', arguments=tuple(HOSTILE), **rules)
            self.assertEqual(shown, "".join(f"[{each}]" for each in HOSTILE))

    async def test_variables(self) -> None:
        """So do variables."""
        for number, text in enumerate(HOSTILE):
            shown = await self.seen(
                'printf %s "$V"', variables={"V": text}, directory="/" if number % 2 else None
            )
            self.assertEqual(shown, text)

    async def test_same_guarantees(self) -> None:
        """However it is started, it leads a session, has no input, and no open file of the runner."""
        inherited = os.open(os.devnull, os.O_RDONLY)
        os.set_inheritable(inherited, True)
        self.addCleanup(os.close, inherited)
        for rules in ({"directory": "/"}, {"umask": 0o22}):
            shown = await self.seen("cat; ls /proc/self/fd; ps -o pid=,pgid=,sid= -p $$", **rules)
            self.assertEqual(shown.split()[:4], ["0", "1", "2", "3"])
            self.assertEqual(len(set(shown.split()[4:])), 1)
