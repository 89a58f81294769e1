"""Installs the packages of Debian that are missing, or says which they are.

With names of packages it installs those; without, the servers and the browser that the tests need. It runs
on a bare Python, before anything of this project is installed.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAMS = {
    "rabbitmq-server": "rabbitmq-server",
    "mariadb-server": "mariadbd",
    "chromium": "chromium",
    "chromium-driver": "chromedriver",
}
"""What the tests need: package, and a program in it."""

_POLICY = Path("/usr/sbin/policy-rc.d")


def missing_packages() -> list[str]:
    """The packages that the tests need and this machine lacks."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    return [package for package, program in _PROGRAMS.items() if shutil.which(program, path=path) is None]


@contextmanager
def _services_stay_off() -> Iterator[None]:
    """Keep packages from starting their services, by Debian's own door for it (invoke-rc.d(8))."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _install(packages: list[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    apt_get = ["apt-get", "--quiet", "--yes", "-o", "DPkg::Lock::Timeout=300"]
    with _services_stay_off():
        subprocess.run([*apt_get, "update"], env=environment, check=True)
        subprocess.run(
            [*apt_get, "install", "--no-install-recommends", *packages], env=environment, check=True
        )


def main(packages: list[str]) -> str | None:
    """Install; answers what stands in the way, if anything does."""
    packages = packages or missing_packages()
    command = f"apt-get install {' '.join(packages)}"
    if not packages:
        return None
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return f"Missing here, and only root can install it, on Debian with: {command}"
    try:
        _install(packages)
    except subprocess.CalledProcessError as error:
        return f"{' '.join(error.cmd)} failed; nothing goes on without: {command}"
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
