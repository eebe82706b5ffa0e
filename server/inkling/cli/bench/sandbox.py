"""Runs a generated Python program to see whether it passes. The program is NOT trusted.

It gets a process of its own, an empty folder, no standard input, no site packages, a time
limit, limits on memory, processor time and file size where the system has them, and an audit
hook that refuses sockets, child processes and writing files. That keeps accidents in; it is no
wall against an attacker, so run such benches where you would run untrusted code.
"""

import os
import signal
import subprocess
import sys
import tempfile

SECONDS = 6.0
_RUNNER = """\
import sys
def refuse(event, arguments):
    if event.startswith(("socket.", "subprocess.", "ctypes.", "shutil.", "ftplib.", "urllib.")):
        raise PermissionError(event)
    if event in ("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn",
                 "os.kill", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate",
                 "os.chmod", "os.link", "os.symlink", "os.startfile", "winreg.OpenKey"):
        raise PermissionError(event)
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        raise PermissionError(event)
source = sys.stdin.buffer.read().decode("utf-8", "surrogatepass")
try:
    import resource
except ImportError:
    pass
else:
    # Some systems refuse to lower some of them; the time limit from outside always holds.
    for name, limit in (("CPU", 5), ("AS", 2 ** 30), ("FSIZE", 2 ** 20), ("CORE", 0)):
        try:
            resource.setrlimit(getattr(resource, "RLIMIT_" + name), (limit, limit))
        except (ValueError, OSError):
            pass
code = compile(source, "program", "exec")
sys.addaudithook(refuse)
exec(code, {"__name__": "program"})
"""


def passes(program: str, seconds: float = SECONDS) -> bool:
    """Whether the program ends by itself, without an exception, in time. Blocking."""
    with tempfile.TemporaryDirectory(prefix="inkling-bench-", ignore_cleanup_errors=True) as folder:
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", "-c", _RUNNER],
            cwd=folder,
            env={"PATH": os.defpath, "SYSTEMROOT": os.environ.get("SYSTEMROOT", "")},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # A group of its own, so that whatever it starts ends with it.
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        try:
            child.communicate(program.encode("utf-8", "surrogatepass"), timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        finally:
            _end(child)
        return child.returncode == 0


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Kill what is left of the child and of its group."""
    if sys.platform != "win32":
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            child.kill()
    else:
        child.kill()
    child.wait()
