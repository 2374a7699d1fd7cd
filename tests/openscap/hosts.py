"""Three hosts to compare over: this machine, and copies of it that were made stricter and weaker.

A host is an overlay over the root folder, entered with chroot in a mount and network namespace of its own: the machine stays
as it is, and settings of the network really take effect.
"""

import os
import subprocess

# OpenSCAP takes a root for a machine's if it has no /.dockerenv and the package linux-base; most rules are for machines.
MACHINE = """
rm -f /.dockerenv /run/.containerenv
printf 'Package: linux-base\\nStatus: install ok installed\\nArchitecture: all\\nVersion: 4.9\\n\\n' >>/var/lib/dpkg/status
"""

STRICTER = """
set -e
for setting in $SETTINGS; do
  key=${setting%%=*} value=${setting#*=}
  echo "$key = $value" >>/etc/sysctl.d/99-stricter.conf
  # Those of the network are this namespace's own; the others belong to the whole machine and stay.
  case $key in net.ipv*) echo "$value" >"/proc/sys/$(echo "$key" | tr . /)" 2>/dev/null || true ;; esac
done
sed -i 's/^UMASK.*/UMASK 077/; s/^ENCRYPT_METHOD.*/ENCRYPT_METHOD YESCRYPT/' /etc/login.defs
printf 'TMOUT=600\\nreadonly TMOUT\\nexport TMOUT\\n' >/etc/profile.d/tmout.sh
printf 'Defaults noexec\\nDefaults requiretty\\nDefaults ignore_dot\\nDefaults umask=0077\\nDefaults env_reset\\nDefaults use_pty\\n' >/etc/sudoers.d/stricter
chmod 0440 /etc/sudoers.d/stricter
chmod 0750 /etc/sudoers.d
printf 'minlen = 18\\nminclass = 4\\ndcredit = -1\\nucredit = -1\\nlcredit = -1\\nocredit = -1\\nretry = 3\\n' >/etc/security/pwquality.conf
printf 'deny = 3\\nfail_interval = 900\\nunlock_time = 900\\n' >/etc/security/faillock.conf
cat >/etc/pam.d/common-password <<'PAM'
password requisite pam_pwquality.so retry=3
password requisite pam_pwhistory.so remember=2 use_authtok
password [success=1 default=ignore] pam_unix.so obscure use_authtok try_first_pass sha512 rounds=65536 remember=2
password requisite pam_deny.so
password required pam_permit.so
PAM
cat >/etc/pam.d/common-auth <<'PAM'
auth required pam_faillock.so preauth
auth [success=1 default=ignore] pam_unix.so
auth [default=die] pam_faillock.so authfail
auth sufficient pam_faillock.so authsucc
auth requisite pam_deny.so
auth required pam_permit.so
PAM
cat >/etc/pam.d/common-account <<'PAM'
account required pam_faillock.so
account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so
account requisite pam_deny.so
account required pam_permit.so
PAM
sed -i '/^ *PermitRootLogin/d' /etc/ssh/sshd_config
sed -i '1i PermitRootLogin no' /etc/ssh/sshd_config
chmod 0600 /etc/ssh/sshd_config
[ ! -e /etc/crypttab ] || chmod 0600 /etc/crypttab
sed -i 's/^root:\\([^:]*:[^:]*:[^:]*\\):[^:]*/root:\\1:365/' /etc/shadow
: >/etc/securetty
printf '*.* action(type="omfwd" protocol="tcp" target="logs.example.org" port="514")\\n*.* @@logs.example.org\\n' >/etc/rsyslog.d/remote.conf
chmod 0700 /home/* 2>/dev/null || true
file=/etc/audit/rules.d/stricter.rules
for arch in b32 b64; do
  for call in chmod chown fchmod fchmodat fchown fchownat fremovexattr fsetxattr lchown lremovexattr lsetxattr removexattr setxattr umount2; do
    echo "-a always,exit -F arch=$arch -S $call -F auid>=1000 -F auid!=unset -F key=perm_mod"
  done
  for call in rename renameat unlink unlinkat; do
    echo "-a always,exit -F arch=$arch -S $call -F auid>=1000 -F auid!=unset -F key=delete"
  done
  for call in creat ftruncate open openat truncate; do
    for error in EACCES EPERM; do
      echo "-a always,exit -F arch=$arch -S $call -F exit=-$error -F auid>=1000 -F auid!=unset -F key=access"
    done
  done
  for call in init_module finit_module delete_module; do
    echo "-a always,exit -F arch=$arch -S $call -F auid>=1000 -F auid!=unset -F key=modules"
  done
  echo "-a always,exit -F arch=$arch -S mount -F auid>=1000 -F auid!=unset -F key=export"
  echo "-a always,exit -F arch=$arch -S sethostname,setdomainname -F key=audit_rules_networkconfig_modification"
done >$file
for path in /etc/group /etc/gshadow /etc/passwd /etc/shadow /etc/security/opasswd; do
  echo "-w $path -p wa -k audit_rules_usergroup_modification"
done >>$file
for path in /etc/issue /etc/issue.net /etc/hosts /etc/networks /etc/network/; do
  echo "-w $path -p wa -k audit_rules_networkconfig_modification"
done >>$file
for path in /var/log/faillock /var/run/faillock /var/log/lastlog; do echo "-w $path -p wa -k logins"; done >>$file
for path in /var/run/utmp /var/log/btmp /var/log/wtmp; do echo "-w $path -p wa -k session"; done >>$file
for path in /etc/sudoers /etc/sudoers.d/; do echo "-w $path -p wa -k actions"; done >>$file
echo '-e 2' >/etc/audit/rules.d/immutable.rules
cat /etc/audit/rules.d/stricter.rules /etc/audit/rules.d/immutable.rules >/etc/audit/audit.rules
"""

WEAKER = """
set -e
chmod 0666 /etc/passwd
chmod 0664 /etc/group
chmod 0644 /etc/shadow
chown 0:0 /etc/shadow
chmod 0644 /etc/gshadow
chown 1:1 /etc/gshadow
chmod 0777 /etc/shells
chown 1:1 /etc/shells
chmod 0644 /etc/sudoers
chown 0:1 /etc/sudoers
chmod 0755 /etc/sudoers.d
chown 1:1 /etc/ssh/sshd_config
chmod 0666 /etc/ssh/sshd_config
chmod 0644 /etc/ssh/ssh_host_*_key
chown 1 /etc/ssh/ssh_host_*_key.pub
chmod 0666 /etc/ssh/ssh_host_*_key.pub
sed -i '/env_reset/d; /use_pty/d' /etc/sudoers
printf 'daemon ALL=(root) !/bin/sh\\ndaemon ALL=(backup) /bin/ls -l\\n' >/etc/sudoers.d/weaker
chmod 0440 /etc/sudoers.d/weaker
sed -i '/^ *PermitRootLogin/d' /etc/ssh/sshd_config
sed -i '1i PermitRootLogin yes' /etc/ssh/sshd_config
sed -i '/^UMASK/d; s/^ENCRYPT_METHOD.*/ENCRYPT_METHOD MD5/' /etc/login.defs
printf 'TMOUT=9999\\n' >/etc/profile.d/tmout.sh
printf 'minlen = 6\\n' >/etc/security/pwquality.conf
printf 'deny = 50\\nunlock_time = 1\\n' >/etc/security/faillock.conf
sed -i '/^pool/d; /^server/d; /^sourcedir/d' /etc/chrony/chrony.conf
printf 'net.ipv4.ip_forward = 1\\nnet.ipv4.tcp_syncookies = 0\\n' >/etc/sysctl.d/99-weaker.conf
printf '%s\\n' '-w /etc/passwd -p r -k read' '-a always,exit -F arch=b64 -S chmod -F auid>=1000 -F key=half' >/etc/audit/rules.d/weaker.rules
for package in telnet telnetd rsh-client rsh-server talk talkd nis tftp-hpa tftpd-hpa xinetd sendmail; do
  printf 'Package: %s\\nStatus: install ok installed\\nArchitecture: amd64\\nVersion: 1\\n\\n' $package
done >>/var/lib/dpkg/status
sed -i '/^Package: rsyslog$/,/^$/s/^Status: install ok installed/Status: deinstall ok config-files/' /var/lib/dpkg/status
"""

VARIANTS = {"as it is": "", "stricter": STRICTER, "weaker": WEAKER}


def inside(folder, changes, steps, environment):
    """Runs `steps` (shell) in a changed copy of this machine. `folder` is seen there as /mnt."""
    overlay = os.path.join(folder, "overlay")
    os.makedirs(overlay, exist_ok=True)
    script = f"""
set -e
mount -t tmpfs tmpfs {overlay}
mkdir {overlay}/upper {overlay}/work {overlay}/root
mount -t overlay overlay -o lowerdir=/,upperdir={overlay}/upper,workdir={overlay}/work {overlay}/root
cd {overlay}/root
ip link set lo up
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --bind /dev dev
mount --bind {folder} mnt
chroot . /bin/bash -c "$PREPARE"
chroot . /bin/bash -c "$STEPS"
"""
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C",
        "PREPARE": MACHINE + changes,
        "STEPS": steps,
        **environment,
    }
    ran = subprocess.run(
        ["unshare", "--mount", "--net", "bash", "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    if ran.returncode != 0:
        raise SystemExit(f"exit {ran.returncode}\n{ran.stdout[-1000:]}\n{ran.stderr[-2000:]}")
