"""Kamailio, three roles: `baseline` (registrar and proxy of a domain, the harness is tried against it),
`relay` (in front of telexd, adds Path) and `neighbour` (another domain behind a route, no credentials asked).
"""

import os
import subprocess
from pathlib import Path

from .ports import free_port
from .process import Process, eventually
from .sipwire import Wire

_HEAD = """#!KAMAILIO
debug=2
log_stderror=yes
memdbg=5
memlog=5
children=2
tcp_children=2
auto_aliases=no
dns=no
rev_dns=no
tcp_accept_no_cl=yes
listen=udp:{host}:{port}
listen=tcp:{host}:{port}
tcp_source_ipv4={host}
{alias}
mpath="{modules}"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "nathelper.so"
loadmodule "path.so"
loadmodule "auth.so"
loadmodule "tmx.so"
modparam("path", "use_received", 1)
modparam("registrar|nathelper", "received_avp", "$avp(received)")
modparam("tm", "fr_timer", 8000)
"""

# Registrar and proxy of one domain. {secret}: asks everybody for this one password, or nobody.
_HOME = """
request_route {{
    if (is_method("OPTIONS") && $rU == $null) {{ sl_send_reply("200", "OK"); exit; }}
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    {auth}
    if (is_method("REGISTER")) {{ fix_nated_register(); save("location"); exit; }}
    loose_route();
    remove_hf("Route");
    if ($rd == "{domain}") {{
        if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
    }} else {{
        {onward}
    }}
    t_relay();
}}
"""

_AUTH = """
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("{domain}", "{secret}", "0")) {{ www_challenge("{domain}", "0"); exit; }}
        consume_credentials();
    }} else {{
        if (!pv_proxy_authenticate("{domain}", "{secret}", "0")) {{ proxy_challenge("{domain}", "0"); exit; }}
        consume_credentials();
    }}
"""

# In front of telexd: phones know only us; to the phone by the received that our own Path carries.
_RELAY = """
request_route {{
    if (is_method("OPTIONS") && $rU == $null && $rd == "{host}") {{ sl_send_reply("200", "OK"); exit; }}
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    force_rport();
    if (is_method("REGISTER")) {{ add_path_received(); }}
    loose_route();
    if ($rd == "{domain}") {{ $du = "sip:{next_host}:{next_port};transport={next_transport}"; }}
    t_relay();
}}
"""


def module_folder() -> str:
    listed = subprocess.run(["dpkg", "-L", "kamailio"], text=True, capture_output=True, check=True).stdout
    return str(Path(next(line for line in listed.splitlines() if line.endswith("/registrar.so"))).parent)


class Kamailio:
    def __init__(self, folder: Path, role: str, domain: str, host: str = "127.0.0.1", port: int | None = None,
                 secret: str | None = None, next_hop=None, next_transport: str = "udp"):
        self.folder = folder
        self.role = role
        self.domain = domain
        self.host = host
        self.port = port or free_port(host)
        self.secret = secret
        self.next_hop = next_hop
        self.next_transport = next_transport
        self.process: Process | None = None

    @property
    def address(self):
        return (self.host, self.port)

    def config(self) -> str:
        if self.role == "relay":
            alias, body = "", _RELAY
        else:
            alias, body = f'alias="{self.domain}"', _HOME
        auth = _AUTH.format(domain=self.domain, secret=self.secret) if self.secret else ""
        if self.next_hop:
            onward = f'$du = "sip:{self.next_hop[0]}:{self.next_hop[1]};transport={self.next_transport}";'
        else:
            onward = 'sl_send_reply("403", "No Relay"); exit;'
        values = {
            "host": self.host, "port": self.port, "domain": self.domain, "alias": alias, "auth": auth,
            "onward": onward, "modules": module_folder(), "next_transport": self.next_transport,
            "next_host": self.next_hop[0] if self.next_hop else "", "next_port": self.next_hop[1] if self.next_hop else 0,
        }
        return (_HEAD + body).format(**values)

    def start(self) -> "Kamailio":
        self.folder.mkdir(parents=True, exist_ok=True)
        run_folder = self.folder / "run"
        run_folder.mkdir(exist_ok=True)
        config = self.folder / "kamailio.cfg"
        config.write_text(self.config())
        self.process = Process(
            "kamailio",
            ["kamailio", "-f", config, "-P", self.folder / "pid", "-Y", run_folder, "-m", "64", "-M", "8", "-DD"],
            self.folder,
            env=dict(os.environ),
            forks=True,
        )
        wire = Wire()
        try:
            probe = wire.peer(self.address, host=self.host)

            def answers():
                assert self.process.alive(), self.process.tail()
                return probe.probe(f"sip:{self.host}:{self.port}")

            eventually(answers, 10, "Kamailio answers OPTIONS")
        finally:
            wire.close()
        return self

    def stop(self):
        if self.process:
            self.process.end()
