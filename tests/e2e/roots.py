"""Root directories of Debian servers, made of a few files each: one as a baseline wants it, one as it fears it, a bare one.

The agent reads them with `merlon-agent resource --root DIRECTORY`. Only what a collector looks at is there. What a running
kernel alone can tell (mounts, listeners, the state of services) is not in a tree; tests/e2e/test_roots.py lists the rules that
must stay unanswered for that reason.

The files belong to several accounts, so the trees can be made by root only.
"""

import os

ANNA, BEN, SHADOW = 1000, 1001, 42
HASH = {  # of no password at all: the right length and alphabet
    "yescrypt": "$y$j9T$" + "a" * 22 + "$" + "b" * 43,
    "md5": "$1$" + "c" * 8 + "$" + "d" * 22,
}


class Tree:
    """Writes files below a directory; paths are those of the machine."""

    def __init__(self, root):
        self.root = str(root)
        self.packages = {}

    def at(self, path):
        return self.root + path

    def directory(self, path, mode=0o755, uid=0, gid=0):
        os.makedirs(self.at(path), exist_ok=True)
        os.chown(self.at(path), uid, gid)
        os.chmod(self.at(path), mode)

    def file(self, path, text="", mode=0o644, uid=0, gid=0):
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
        with open(self.at(path), "w", encoding="utf-8") as out:
            out.write(text)
        os.chown(self.at(path), uid, gid)
        os.chmod(self.at(path), mode)

    def link(self, path, target):
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
        os.symlink(target, self.at(path))

    def program(self, path, mode=0o755):
        self.file(path, "#!/bin/sh\n", mode)

    def package(self, name, version="1.0-1"):
        self.packages[name] = version

    def unit(self, name, enabled=True, wanted_by="multi-user.target"):
        self.file("/usr/lib/systemd/system/" + name, f"[Unit]\nDescription={name}\n[Service]\nExecStart=/bin/true\n"
                  f"[Install]\nWantedBy={wanted_by}\n")
        if enabled:
            self.link(f"/etc/systemd/system/{wanted_by}.wants/{name}", "/usr/lib/systemd/system/" + name)

    def write_packages(self, security, ordinary):
        """dpkg's database, and apt's lists with what can be had: versions of security updates and of others, by package."""
        self.file("/var/lib/dpkg/status", "".join(
            f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\nMaintainer: nobody\n\n"
            for name, version in sorted(self.packages.items())))
        for suite, versions in [("bookworm-security", security), ("bookworm", {**self.packages, **ordinary})]:
            self.file(f"/var/lib/apt/lists/deb.example_debian_dists_{suite}_main_binary-amd64_Packages", "".join(
                f"Package: {name}\nArchitecture: amd64\nVersion: {version}\n\n" for name, version in sorted(versions.items())))


SYSCTL = {  # what the good machine sets, and what the bad one does
    "kernel.randomize_va_space": ("2", "0"),
    "kernel.yama.ptrace_scope": ("1", "0"),
    "kernel.kptr_restrict": ("1", "0"),
    "kernel.dmesg_restrict": ("1", "0"),
    "kernel.unprivileged_bpf_disabled": ("1", "0"),
    "net.core.bpf_jit_harden": ("2", "0"),
    "fs.suid_dumpable": ("0", "1"),
    "fs.protected_hardlinks": ("1", "0"),
    "fs.protected_symlinks": ("1", "0"),
    "fs.protected_fifos": ("2", "0"),
    "fs.protected_regular": ("2", "0"),
    "kernel.kexec_load_disabled": ("1", "0"),
    "kernel.perf_event_paranoid": ("3", "-1"),
    "kernel.sysrq": ("0", "1"),
    "vm.mmap_min_addr": ("65536", "0"),
    "dev.tty.ldisc_autoload": ("0", "1"),
    "vm.unprivileged_userfaultfd": ("0", "1"),
    "net.ipv4.ip_forward": ("0", "1"),
    "net.ipv6.conf.all.forwarding": ("0", "1"),
    "net.ipv4.conf.all.send_redirects": ("0", "1"),
    "net.ipv4.conf.default.send_redirects": ("0", "1"),
    "net.ipv4.conf.all.accept_redirects": ("0", "1"),
    "net.ipv4.conf.default.accept_redirects": ("0", "1"),
    "net.ipv6.conf.all.accept_redirects": ("0", "1"),
    "net.ipv6.conf.default.accept_redirects": ("0", "1"),
    "net.ipv4.conf.all.secure_redirects": ("0", "1"),
    "net.ipv4.conf.default.secure_redirects": ("0", "1"),
    "net.ipv4.conf.all.accept_source_route": ("0", "1"),
    "net.ipv4.conf.default.accept_source_route": ("0", "1"),
    "net.ipv6.conf.all.accept_source_route": ("0", "1"),
    "net.ipv6.conf.default.accept_source_route": ("0", "1"),
    "net.ipv4.conf.all.rp_filter": ("1", "0"),
    "net.ipv4.conf.default.rp_filter": ("1", "0"),
    "net.ipv4.conf.all.log_martians": ("1", "0"),
    "net.ipv4.tcp_syncookies": ("1", "0"),
    "net.ipv4.icmp_echo_ignore_broadcasts": ("1", "0"),
    "net.ipv4.icmp_ignore_bogus_error_responses": ("1", "0"),
    "net.ipv6.conf.all.accept_ra": ("0", "1"),
    "net.ipv6.conf.default.accept_ra": ("0", "1"),
}

MODULES = ["cramfs", "freevxfs", "hfs", "hfsplus", "jffs2", "squashfs", "udf", "usb-storage", "firewire-core", "dccp", "sctp",
           "rds", "tipc"]

UNWANTED_UNITS = ["autofs", "avahi-daemon", "bluetooth", "cups", "isc-dhcp-server", "named", "dnsmasq", "slapd", "dovecot",
                  "nfs-server", "rpcbind", "rsync", "smbd", "snmpd", "squid", "xinetd", "apport"]
UNWANTED_PACKAGES = ["telnetd", "rsh-server", "ypserv", "tftpd-hpa", "vsftpd", "talkd", "telnet", "rsh-client", "yp-tools", "talk",
                     "ftp", "xserver-xorg-core", "at"]

CRON = ["/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly"]

CALLS = {
    "time": "adjtimex,settimeofday,clock_settime",
    "names": "sethostname,setdomainname",
    "access": "creat,open,openat,truncate,ftruncate -F exit=-EACCES",
    "refused": "creat,open,openat,truncate,ftruncate -F exit=-EPERM",
    "modes": "chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat",
    "attributes": "setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr",
    "mounts": "mount",
    "deletion": "rename,renameat,unlink,unlinkat",
    "modules": "init_module,finit_module,delete_module",
    "emulation": "execve -C euid!=uid",
}
WATCHES = ["/etc/sudoers", "/etc/sudoers.d/", "/var/log/sudo.log", "/etc/localtime", "/etc/hosts", "/etc/passwd", "/etc/group",
           "/etc/shadow", "/etc/gshadow", "/var/run/utmp", "/var/log/wtmp", "/var/log/btmp", "/var/log/lastlog", "/var/run/faillock/",
           "/etc/apparmor/", "/etc/apparmor.d/"]
PRIVILEGED = ["/usr/bin/su", "/usr/bin/sudo", "/usr/bin/passwd"]


def audit_rules():
    lines = ["-D", "-b 8192"]
    lines += [f"-a always,exit -F arch=b{bits} -S {calls} -k {key}" for key, calls in CALLS.items() for bits in (64, 32)]
    lines += [f"-w {path} -p wa -k files" for path in WATCHES]
    lines += [f"-a always,exit -F path={path} -F perm=x -F auid>=1000 -F auid!=unset -k privileged" for path in PRIVILEGED]
    return "\n".join(lines + ["-e 2", ""])


def common(tree, version):
    tree.file("/etc/os-release", f'ID=debian\nVERSION_ID="{version}"\nNAME="Debian GNU/Linux"\n'
              f'PRETTY_NAME="Debian GNU/Linux {version}"\n')
    for path in ["/bin", "/usr/bin", "/usr/sbin", "/root", "/run", "/home", "/var/log", "/srv"]:
        tree.directory(path)
    tree.directory("/tmp", 0o1777)
    tree.directory("/var/tmp", 0o1777)
    tree.file("/usr/lib/modules/6.1.0-28-amd64/modules.dep", "".join(
        f"kernel/{name}/{name}.ko:\n" for name in MODULES))
    tree.link("/lib", "usr/lib")
    tree.link("/sbin", "usr/sbin")
    for program in ["/usr/sbin/sshd", "/usr/bin/sudo", "/usr/sbin/auditd", "/usr/sbin/cron", "/usr/sbin/rsyslogd",
                    "/usr/lib/systemd/systemd-journald", "/usr/bin/unattended-upgrade"]:
        tree.program(program)
    tree.file("/usr/lib/x86_64-linux-gnu/security/pam_pwquality.so")
    for name, package_version in [("sudo", "1.9.13p3-1+deb12u1"), ("openssh-server", "1:9.2p1-2+deb12u4"), ("bash", "5.2.15-2"),
                                  ("openssl", "3.0.11-1"), ("nano", "7.2-1")]:
        tree.package(name, package_version)


def good(root):
    """A server on which every rule that a tree can answer is content."""
    tree = Tree(root)
    common(tree, "12")
    tree.file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n"
              f"sync:x:4:65534::/bin:/bin/sync\nanna:x:{ANNA}:{ANNA}::/home/anna:/bin/bash\n")
    tree.file("/etc/shadow", "root:*:20000:0:99999:7:::\ndaemon:*:20000:0:99999:7:::\nsync:*:20000:0:99999:7:::\n"
              f"anna:{HASH['yescrypt']}:20000:1:365:7:45::\n", 0o640, 0, SHADOW)
    tree.file("/etc/group", f"root:x:0:\ndaemon:x:1:\nshadow:x:{SHADOW}:\nsudo:x:27:anna\nnogroup:x:65534:\nanna:x:{ANNA}:\n")
    tree.file("/etc/gshadow", "root:*::\nshadow:*::\nsudo:*::anna\nanna:!::\n", 0o640, 0, SHADOW)
    for name, mode, group in [("passwd", 0o644, 0), ("group", 0o644, 0), ("shadow", 0o640, SHADOW), ("gshadow", 0o640, SHADOW)]:
        tree.file(f"/etc/{name}-", "", mode, 0, group)
    tree.directory("/root", 0o700)
    tree.directory("/home/anna", 0o750, ANNA, ANNA)
    tree.file("/home/anna/.bashrc", "", 0o644, ANNA, ANNA)
    tree.file("/etc/shells", "/bin/sh\n/bin/bash\n")
    tree.file("/etc/security/opasswd", "", 0o600)
    good_system(tree)
    good_services(tree)
    tree.write_packages({}, {})
    os.utime(tree.at("/var/lib/apt/lists"))


def good_system(tree):
    tree.file("/etc/sysctl.d/90-baseline.conf", "".join(f"{key} = {value}\n" for key, (value, _) in SYSCTL.items()))
    tree.file("/etc/modprobe.d/baseline.conf", "".join(f"install {name} /bin/false\nblacklist {name}\n" for name in MODULES))
    tree.file("/boot/grub/grub.cfg", 'set superusers="root"\npassword_pbkdf2 root grub.pbkdf2.sha512.10000.00\n', 0o600)
    tree.file("/etc/default/grub", 'GRUB_CMDLINE_LINUX="audit=1 audit_backlog_limit=8192"\n')
    tree.link("/etc/systemd/system/ctrl-alt-del.target", "/dev/null")
    tree.file("/etc/security/limits.d/90-core.conf", "* hard core 0\n")
    tree.file("/etc/issue", "Authorised users only.\n")
    tree.file("/etc/issue.net", "Authorised users only.\n")
    tree.file("/etc/motd", "")
    tree.file("/etc/crontab", "17 * * * * root true\n", 0o600)
    for path in CRON:
        tree.directory(path, 0o700)
    tree.file("/etc/cron.allow", "root\n", 0o640)
    tree.file("/etc/login.defs", "PASS_MAX_DAYS 365\nPASS_MIN_DAYS 1\nPASS_WARN_AGE 7\nUMASK 027\nENCRYPT_METHOD YESCRYPT\n")
    tree.file("/etc/profile", "umask 027\n")
    tree.file("/etc/profile.d/50-tmout.sh", "TMOUT=900\nreadonly TMOUT\nexport TMOUT\n")
    tree.file("/etc/pam.d/common-auth", "auth requisite pam_faillock.so preauth\nauth [success=1 default=ignore] pam_unix.so\n"
              "auth [default=die] pam_faillock.so authfail\nauth required pam_permit.so\n")
    tree.file("/etc/pam.d/common-account", "account required pam_unix.so\naccount required pam_faillock.so\n")
    tree.file("/etc/pam.d/common-password", "password requisite pam_pwquality.so retry=3\n"
              "password requisite pam_pwhistory.so remember=24 enforce_for_root use_authtok\n"
              "password [success=1 default=ignore] pam_unix.so obscure use_authtok try_first_pass yescrypt\n")
    tree.file("/etc/pam.d/su", "auth sufficient pam_rootok.so\nauth required pam_wheel.so use_uid group=sugroup\n"
              "@include common-auth\n")
    tree.file("/etc/pam.d/sshd", "@include common-auth\n")
    tree.file("/etc/security/pwquality.conf", "minlen = 14\nminclass = 4\ndifok = 2\nmaxrepeat = 3\n")
    tree.file("/etc/security/faillock.conf", "deny = 5\nunlock_time = 900\neven_deny_root\n")
    tree.file("/etc/sudoers", "Defaults use_pty\nDefaults logfile=/var/log/sudo.log\nroot ALL=(ALL:ALL) ALL\n"
              "%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n", 0o440)
    tree.directory("/etc/sudoers.d", 0o750)


def good_services(tree):
    tree.file("/etc/ssh/sshd_config", "PermitRootLogin no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
              "AuthenticationMethods publickey,password\nMaxAuthTries 4\nLoginGraceTime 60\nMaxStartups 10:30:60\n"
              "ClientAliveInterval 15\nClientAliveCountMax 3\nDisableForwarding yes\nX11Forwarding no\nBanner /etc/issue.net\n"
              "UsePAM yes\nRequiredRSASize 2048\nAllowGroups sudo\nMACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com\n", 0o600)
    tree.file("/etc/ssh/ssh_host_ed25519_key", "", 0o600)
    tree.file("/etc/ssh/ssh_host_ed25519_key.pub", "")
    tree.program("/usr/sbin/ufw")
    tree.file("/etc/ufw/ufw.conf", "ENABLED=yes\n")
    tree.file("/etc/default/ufw", 'DEFAULT_INPUT_POLICY="DROP"\nDEFAULT_FORWARD_POLICY="DROP"\nIPV6=yes\n')
    for name in ["ufw.service", "cron.service", "auditd.service", "chrony.service", "ssh.service", "systemd-journal-upload.service"]:
        tree.unit(name)
    tree.file("/etc/audit/rules.d/50-baseline.rules", audit_rules(), 0o640)
    tree.file("/etc/audit/auditd.conf", "log_file = /var/log/audit/audit.log\nmax_log_file = 32\nmax_log_file_action = keep_logs\n"
              "space_left_action = email\ndisk_full_action = syslog\n", 0o640)
    tree.directory("/var/log/audit", 0o750)
    tree.file("/var/log/auth.log", "", 0o640)
    tree.file("/etc/rsyslog.conf", "$FileCreateMode 0640\n*.* @@log.example:6514\n")
    tree.file("/etc/systemd/journald.conf", "[Journal]\nStorage=persistent\nCompress=yes\n")
    tree.package("logrotate")
    tree.program("/usr/sbin/chronyd")
    tree.file("/etc/chrony/chrony.conf", "pool time.example iburst\n")
    tree.program("/usr/bin/aide")
    tree.package("aide")
    tree.unit("dailyaidecheck.timer", wanted_by="timers.target")
    tree.package("unattended-upgrades")
    tree.file("/etc/apt/apt.conf.d/20auto-upgrades", 'APT::Periodic::Update-Package-Lists "1";\n'
              'APT::Periodic::Unattended-Upgrade "1";\n')
    tree.file("/etc/apt/sources.list", "deb http://deb.example/debian bookworm main\n")
    tree.package("clamav")
    tree.package("clamav-daemon")
    tree.program("/usr/sbin/clamd")
    tree.program("/usr/bin/clamscan")
    tree.program("/usr/sbin/apparmor_parser")
    tree.package("apparmor")
    tree.file("/etc/fstab", "/dev/mapper/root / ext4 defaults 0 1\n")
    tree.file("/etc/crypttab", "root /dev/sda2 none luks\n")


def bad(root):
    """A server on which every rule that a tree can answer finds something."""
    tree = Tree(root)
    common(tree, "10")
    bad_accounts(tree)
    bad_system(tree)
    bad_services(tree)
    for name in UNWANTED_PACKAGES:
        tree.package(name)
    tree.write_packages({"openssl": "3.0.15-1"}, {"nano": "7.2-2"})
    old = 1600000000
    os.utime(tree.at("/var/lib/apt/lists"), (old, old))


def bad_accounts(tree):
    tree.file("/etc/passwd", "root:x:0:100:root:/root:/bin/bash\ntoor:x:0:0::/root:/bin/bash\n"
              "postgres:x:114:0::/var/lib/postgresql:/bin/bash\nwww:x:33:33::/srv:/usr/sbin/nologin\n"
              f"anna:x:{ANNA}:{ANNA}::/home/anna:/bin/bash\nanna2:x:{ANNA}:{ANNA}::/home/nowhere:/bin/bash\n"
              f"ben:x:{BEN}:7777::/home/ben:/bin/bash\nben:x:1002:1002::/home/ben:/bin/bash\n"
              f"carl:{HASH['md5']}:1003:{ANNA}::/home/anna:/bin/bash\nguest::1004:{ANNA}::/home/anna:/bin/bash\n+::::::\n", 0o666)
    tree.file("/etc/shadow", f"root:*:20000:0:99999:7:::\nwww:{HASH['md5']}:20000:0:99999:7:::\n"
              f"anna:{HASH['md5']}:30000:0:99999:7:::\nben:{HASH['md5']}:20000:0:99999:7:::\n", 0o644)
    tree.file("/etc/group", f"root:x:0:\nwheel2:x:0:\nusers:x:100:\nshadow:x:{SHADOW}:anna\nwww:x:33:\ndocker:x:998:anna\n"
              f"anna:x:{ANNA}:\n", 0o666)
    tree.file("/etc/gshadow", "root:*::\n", 0o644)
    for name in ["passwd", "group", "shadow", "gshadow"]:
        tree.file(f"/etc/{name}-", "", 0o666)
    tree.directory("/root", 0o755)
    tree.directory("/home/anna", 0o755, BEN, ANNA)
    for name, mode, owner in [(".rhosts", 0o644, ANNA), (".netrc", 0o644, ANNA), (".forward", 0o644, ANNA), (".bashrc", 0o666, ANNA),
                              (".profile", 0o644, BEN)]:
        tree.file("/home/anna/" + name, "", mode, owner, ANNA)
    tree.file("/etc/shells", "/bin/sh\n/usr/sbin/nologin\n", 0o666)
    tree.file("/etc/security/opasswd", "", 0o644)


def bad_system(tree):
    tree.file("/etc/sysctl.d/90-bad.conf", "".join(f"{key} = {value}\n" for key, (_, value) in SYSCTL.items()))
    tree.file("/boot/grub/grub.cfg", "set timeout=5\n", 0o444)
    tree.file("/etc/default/grub", 'GRUB_CMDLINE_LINUX="quiet"\n')
    tree.program("/usr/sbin/prelink")
    for path in ["/etc/issue", "/etc/issue.net", "/etc/motd"]:
        tree.file(path, "Debian GNU/Linux 10 \\n \\l\n", 0o666)
    tree.file("/etc/crontab", "", 0o644)
    for path in CRON:
        tree.directory(path)
    tree.file("/etc/login.defs", "PASS_MAX_DAYS 99999\nPASS_MIN_DAYS 0\nPASS_WARN_AGE 0\nUMASK 022\nENCRYPT_METHOD MD5\n")
    tree.file("/etc/profile.d/tmout.sh", "TMOUT=0\n")
    tree.file("/etc/pam.d/common-auth", "auth required pam_faillock.so preauth\nauth sufficient pam_unix.so nullok\n")
    tree.file("/etc/pam.d/common-password", "password requisite pam_pwquality.so\npassword required pam_unix.so md5 nullok\n")
    tree.file("/etc/pam.d/su", "auth sufficient pam_rootok.so\n@include common-auth\n")
    tree.file("/etc/security/pwquality.conf", "minlen = 6\nmaxrepeat = 0\ndictcheck = 0\nenforcing = 0\n")
    tree.file("/etc/security/faillock.conf", "deny = 0\nunlock_time = 60\n")
    tree.file("/etc/sudoers", "Defaults !use_pty, !authenticate\nDefaults timestamp_timeout=-1\nALL ALL=(ALL) ALL\n"
              "ben ALL=(ALL) NOPASSWD: ALL\n", 0o666)
    tree.directory("/etc/sudoers.d", 0o777)
    tree.file("/root/.profile", "PATH=.:/tmp:/usr/bin\n")
    tree.file("/srv/open", "", 0o666)
    tree.file("/srv/orphan", "", 0o644, 4711, 4711)
    tree.program("/usr/local/bin/rootme", 0o4755)
    tree.directory("/srv/drop", 0o777)
    tree.directory("/var/lib/dpkg/info")
    tree.file("/run/docker.sock", "", 0o666)


def bad_services(tree):
    tree.file("/etc/ssh/sshd_config", "PermitRootLogin yes\nPermitEmptyPasswords yes\nPasswordAuthentication yes\n"
              "MaxAuthTries 20\nLoginGraceTime 0\nMaxStartups 500:30:1000\nMaxSessions 100\nClientAliveInterval 0\n"
              "X11Forwarding yes\nAllowTcpForwarding yes\nAllowAgentForwarding yes\nPermitTunnel yes\nGatewayPorts yes\n"
              "Banner none\nPermitUserEnvironment yes\nHostbasedAuthentication yes\nIgnoreRhosts no\nGSSAPIAuthentication yes\n"
              "UsePAM no\nLogLevel QUIET\nStrictModes no\nCiphers aes128-cbc\nMACs hmac-md5\n"
              "KexAlgorithms diffie-hellman-group1-sha1\nHostKeyAlgorithms ssh-rsa\n", 0o666)
    tree.file("/etc/ssh/ssh_host_rsa_key", "", 0o644)
    tree.file("/etc/ssh/ssh_host_rsa_key.pub", "", 0o666)
    for program in ["/usr/sbin/ufw", "/usr/sbin/firewalld"]:
        tree.program(program)
    tree.file("/etc/ufw/ufw.conf", "ENABLED=yes\n")
    tree.file("/etc/default/ufw", 'DEFAULT_INPUT_POLICY="ACCEPT"\n')
    tree.unit("firewalld.service")
    tree.program("/usr/bin/aide")
    tree.file("/etc/selinux/config", "SELINUX=permissive\nSELINUXTYPE=minimum\n")
    for name in UNWANTED_UNITS:
        tree.unit(name + ".service")
    tree.unit("cron.service", enabled=False)
    tree.unit("auditd.service", enabled=False)
    tree.file("/etc/audit/rules.d/audit.rules", "-D\n-b 64\n", 0o666)
    tree.file("/etc/audit/auditd.conf", "max_log_file = 1\nmax_log_file_action = ROTATE\nspace_left_action = ignore\n"
              "disk_full_action = suspend\n", 0o666)
    tree.directory("/var/log/audit", 0o777)
    tree.file("/var/log/auth.log", "", 0o644)
    tree.file("/var/log/app.log", "", 0o666)
    tree.file("/etc/rsyslog.conf", "$FileCreateMode 0666\nmodule(load=\"imudp\")\ninput(type=\"imudp\" port=\"514\")\n")
    tree.file("/etc/systemd/journald.conf", "[Journal]\nStorage=volatile\nCompress=no\n")
    tree.file("/etc/apt/sources.list", "deb [trusted=yes] http://mirror.example/debian buster main\n")


def bare(root):
    """A machine on which nothing was installed that could protect it."""
    tree = Tree(root)
    tree.file("/etc/os-release", 'ID=debian\nVERSION_ID="12"\nNAME="Debian GNU/Linux"\n')
    tree.file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
    tree.file("/etc/shadow", "root:*:20000:0:99999:7:::\n", 0o640, 0, SHADOW)
    tree.file("/etc/group", f"root:x:0:\nshadow:x:{SHADOW}:\n")
    tree.package("bash", "5.2.15-2")
    tree.write_packages({}, {})
