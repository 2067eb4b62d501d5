"""Three servers as their agents would report them: one that was never hardened, one half-way, one as it should be."""

TYPE = "Microsoft.HybridCompute/machines"

GOOD_SSHD = {
    "permitrootlogin": "no", "permitemptypasswords": "no", "passwordauthentication": "no", "kbdinteractiveauthentication": "no",
    "authenticationmethods": "publickey", "usepam": "yes", "pubkeyauthentication": "yes", "x11forwarding": "no",
    "maxauthtries": "4", "logingracetime": "60", "hostbasedauthentication": "no", "ignorerhosts": "yes", "strictmodes": "yes",
    "permituserenvironment": "no", "allowtcpforwarding": "no", "banner": "/etc/issue.net",
    "ciphers": ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com"], "macs": ["hmac-sha2-256-etm@openssh.com"],
    "kexalgorithms": ["curve25519-sha256"], "allowusers": [], "allowgroups": ["ssh-users"],
}
BAD_SSHD = {
    **GOOD_SSHD, "permitrootlogin": "yes", "permitemptypasswords": "yes", "passwordauthentication": "yes",
    "x11forwarding": "yes", "maxauthtries": "6", "ciphers": ["aes256-ctr", "aes128-cbc", "3des-cbc"], "macs": ["hmac-md5"],
    "banner": "none", "allowgroups": [],
}
GOOD_SYSCTL = {
    "kernel.randomize_va_space": "2", "kernel.dmesg_restrict": "1", "kernel.kptr_restrict": "2", "kernel.sysrq": "0",
    "kernel.unprivileged_bpf_disabled": "1", "kernel.yama.ptrace_scope": "1", "fs.suid_dumpable": "0",
    "fs.protected_symlinks": "1", "fs.protected_hardlinks": "1", "net.ipv4.tcp_syncookies": "1", "net.ipv4.ip_forward": "0",
    "net.ipv4.conf.all.accept_redirects": "0", "net.ipv4.conf.default.accept_redirects": "0",
    "net.ipv4.conf.all.rp_filter": "1", "net.ipv4.conf.default.rp_filter": "1",
    "net.ipv4.conf.all.accept_source_route": "0", "net.ipv4.conf.default.accept_source_route": "0",
}
BAD_SYSCTL = {
    **GOOD_SYSCTL, "kernel.randomize_va_space": "0", "kernel.unprivileged_bpf_disabled": "0", "fs.suid_dumpable": "1",
    "net.ipv4.ip_forward": "1", "net.ipv4.conf.all.accept_redirects": "1", "net.ipv4.conf.all.rp_filter": "0",
}


def listener(port, process, address="0.0.0.0"):
    return {"protocol": "tcp", "family": 4, "address": address, "port": port, "loopback": address == "127.0.0.1",
            "process": process}


def file(mode, **more):
    return {"exists": True, "type": "file", "mode": mode, "modeBits": int(mode, 8), "owner": "root", "group": "root", "uid": 0,
            "gid": 0, **more}


def facts(sshd, sysctl, listeners, shadow_mode):
    return {
        "collected": "2026-11-20T10:00:00Z",
        "os": {"id": "debian", "versionId": "12", "name": "Debian GNU/Linux", "prettyName": "Debian GNU/Linux 12 (bookworm)"},
        "sshd": {"installed": True, "running": True, "effective": sshd, "source": "sshd -T"},
        "sysctl": sysctl,
        "packages": {"manager": "dpkg", "installed": {"bash": {"version": "5.2.15-2+b7", "arch": "amd64", "source": "bash"}}},
        "listeners": listeners,
        "files": {"/etc/shadow": file(shadow_mode, group="shadow", gid=42), "/etc/passwd": file("0644")},
    }


def machine(facts_):
    return {"location": "local", "properties": {
        "osName": "linux", "osSku": "Debian GNU/Linux 12 (bookworm)", "status": "Connected", "agentVersion": "0.1.0",
        "facts": facts_}}


MACHINES = {
    "web-1": machine(facts(BAD_SSHD, BAD_SYSCTL, [listener(22, "sshd"), listener(6379, "redis-server")], "0644")),
    "db-1": machine(facts({**GOOD_SSHD, "passwordauthentication": "yes", "permitrootlogin": "prohibit-password"}, GOOD_SYSCTL,
                          [listener(22, "sshd"), listener(5432, "postgres")], "0640")),
    "bastion-1": machine(facts(GOOD_SSHD, GOOD_SYSCTL, [listener(22, "sshd"), listener(5432, "postgres", "127.0.0.1")], "0640")),
}


def machine_id(server, name):
    return f"{server.g}/providers/{TYPE}/{name}"


def put_machines(server):
    """Puts all three into the default group."""
    for name, document in MACHINES.items():
        answer = server.call("PUT", machine_id(server, name), document)
        assert answer.status in (200, 201), answer.body
