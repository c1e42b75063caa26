"""All phones that the tests know, each with every transport it speaks, started together."""

from .baresip import Baresip
from .linphone import Linphone
from .phone import Phone
from .sipp import Sipp
from .telexcli import Telex

KINDS = {kind.kind: kind for kind in (Baresip, Linphone, Telex, Sipp)}
FOREIGN = [f"{kind}-{transport}" for kind in ("baresip", "linphone", "sipp")
           for transport in KINDS[kind].transports]
ALL = FOREIGN + [f"telex-{transport}" for transport in Telex.transports]


def make(name: str, folder, account, server) -> Phone:
    """`name` is kind-transport, as in FOREIGN and ALL."""
    kind, transport = name.split("-")
    return KINDS[kind](folder / f"{name}-{account.user}", account, server, transport)


def start_all(names, folder, account_for, server) -> dict[str, Phone]:
    """Phones by name, registered and knowing each other. account_for(name) → Account."""
    phones = {name: make(name, folder, account_for(name), server) for name in names}
    everybody = [phone.aor for phone in phones.values()]
    try:
        for phone in phones.values():
            if isinstance(phone, Baresip):
                phone.knows(*everybody)
            phone.start()
        for phone in phones.values():
            phone.wait_registered()
    except BaseException:
        stop_all(phones)
        raise
    return phones


def stop_all(phones: dict[str, Phone]):
    for phone in phones.values():
        if phone.process:
            phone.stop()
