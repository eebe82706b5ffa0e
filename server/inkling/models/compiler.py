"""Is there a C++ compiler, and if not, the exact command that brings one to this system.

Asked before a build starts: a build that fails after minutes for want of a compiler is the
oldest complaint about llama-cpp-python.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_LINUX_REMEDIES = {
    "debian": "sudo apt-get install build-essential",
    "ubuntu": "sudo apt-get install build-essential",
    "fedora": "sudo dnf install gcc-c++ make",
    "rhel": "sudo dnf install gcc-c++ make",
    "arch": "sudo pacman -S base-devel",
    "suse": "sudo zypper install gcc-c++ make",
    "opensuse": "sudo zypper install gcc-c++ make",
    "alpine": "sudo apk add build-base",
    "void": "sudo xbps-install base-devel",
}


def missing_compiler(platform: str = sys.platform) -> str | None:
    """None where a C and a C++ compiler are there; else the command that installs them."""
    if platform == "win32":
        if shutil.which("cl") or _visual_studio():
            return None
        return (
            "winget install Microsoft.VisualStudio.2022.BuildTools --override "
            '"--wait --passive --add Microsoft.VisualStudio.Workload.VCTools '
            '--includeRecommended"'
        )
    if platform == "darwin":
        # /usr/bin/cc is there without the tools, too: it is a stub that asks to install them.
        return None if _runs("xcode-select", "-p") else "xcode-select --install"
    if _one_of("CC", "cc", "gcc", "clang") and _one_of("CXX", "c++", "g++", "clang++"):
        return None
    return _linux_remedy(Path("/etc/os-release"))


def _one_of(variable: str, *names: str) -> bool:
    chosen = os.environ.get(variable, "").split()[:1]
    return any(shutil.which(name) for name in (*chosen, *names))


def _linux_remedy(release: Path) -> str:
    fields: dict[str, str] = {}
    if release.is_file():
        for line in release.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition("=")
            fields[key] = value.strip("\"'")
    for name in (fields.get("ID", ""), *fields.get("ID_LIKE", "").split()):
        if name in _LINUX_REMEDIES:
            return _LINUX_REMEDIES[name]
    return "install gcc and g++ with your system's package manager"


def _visual_studio() -> bool:
    """Whether Visual Studio or its Build Tools with the C++ tools are installed."""
    programs = os.environ.get("PROGRAMFILES(X86)", r"C:\Program Files (x86)")
    finder = Path(programs) / "Microsoft Visual Studio" / "Installer" / "vswhere.exe"
    tools = "Microsoft.VisualStudio.Component.VC.Tools.x86.x64"
    return finder.is_file() and _runs(
        str(finder), "-latest", "-products", "*", "-requires", tools, wants_output=True
    )


def _runs(*command: str, wants_output: bool = False) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and (bool(done.stdout.strip()) or not wants_output)
